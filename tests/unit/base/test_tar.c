/* test_tar.c - ustar headers: what is written is read back, and other blocks are told apart. */
#include "daemon/base/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_header_reads_back(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 0, 1, 511, 512, 10240, 1ULL << 32, TAR_BYTES_MAX };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char block[TAR_BLOCK];
		struct tar_member m;
		tar_header(block, "name.txt", sizes[i]);
		assert_int_equal(tar_parse(block, &m), 1);
		assert_string_equal(m.name, "name.txt");
		assert_int_equal(m.bytes, sizes[i]);
	}
}

static void test_longest_name(void **state)
{
	(void)state;
	char name[TAR_NAME_MAX + 1];
	char block[TAR_BLOCK];
	struct tar_member m;
	memset(name, 'n', TAR_NAME_MAX);
	name[TAR_NAME_MAX] = '\0';
	tar_header(block, name, 5);
	assert_int_equal(tar_parse(block, &m), 1);
	assert_string_equal(m.name, name);
}

static void test_zeros_are_the_end_mark(void **state)
{
	(void)state;
	char block[TAR_BLOCK] = { 0 };
	struct tar_member m;
	assert_int_equal(tar_parse(block, &m), 0);
	block[TAR_BLOCK - 1] = 1;
	assert_int_equal(tar_parse(block, &m), -1);
}

static void test_any_changed_byte_is_noticed(void **state)
{
	(void)state;
	char block[TAR_BLOCK];
	struct tar_member m;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		tar_header(block, "name.txt", 10240);
		block[i] = (char)(block[i] + 1);
		if (i == 154 || i == 155) /* behind the checksum's digits: tars differ here */
			continue;
		if (tar_parse(block, &m) != -1)
			fail_msg("a change of byte %zu went unnoticed", i);
	}
}

static void test_fill_covers_the_gap(void **state)
{
	(void)state;
	char gap[2048];
	struct tar_member m;
	memset(gap, 'x', sizeof(gap));
	tar_fill(gap, 1024, "__pad__");
	assert_int_equal(tar_parse(gap, &m), 1);
	assert_string_equal(m.name, "__pad__");
	assert_int_equal(m.bytes, 512);
	assert_int_equal(gap[1023], 0);
	assert_int_equal(gap[1024], 'x');
}

static void test_gnu_tar_agrees(void **state)
{
	(void)state;
	char path[] = "/tmp/inlet-tar-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	char block[TAR_BLOCK];
	tar_header(block, "hello.txt", 5);
	assert_int_equal(fwrite(block, TAR_BLOCK, 1, f), 1);
	memset(block, 0, TAR_BLOCK);
	memcpy(block, "hello", 5);
	assert_int_equal(fwrite(block, TAR_BLOCK, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	char command[256];
	(void)snprintf(command, sizeof(command), "[ \"$(tar tvf %s --utc 2>&1)\" = "
		"'-rw-r--r-- 0/0               5 2000-01-01 00:00 hello.txt' ] && [ \"$(tar xOf %s 2>&1)\" = hello ]", path, path);
	assert_int_equal(system(command), 0);
	(void)remove(path);
}

/* Names around the limits of a header, of its prefix and of the digits of a pax record; and folders. */
static void test_gnu_tar_reads_long_names_without_a_word(void **state)
{
	(void)state;
	static const size_t lengths[] = { 1, 99, 100, 101, 155, 156, 255, 256, 985, 990, 995, 1500 };
	char path[] = "/tmp/inlet-tar-XXXXXX";
	struct buf to = { 0 };
	struct buf names = { 0 };
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t from = names.len;
		for (size_t k = 0; k < lengths[i]; k++)
			buf_char(&names, k % 90 == 89 && k + 1 < lengths[i] ? '/' : (char)('a' + i));
		tar_put(&to, names.data + from, SLICE_LIT("hello"));
		buf_char(&names, '\n');
	}
	tar_put(&to, "folder/", (struct slice){ 0 });
	buf_str(&names, "folder/\n");
	tar_end(&to);
	assert_int_equal(to.len % TAR_BLOCK, 0);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	assert_int_equal(fwrite(to.data, to.len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	char command[256];
	char got[16384];
	(void)snprintf(command, sizeof(command), "tar tf %s 2>&1; tar xOf %s 2>&1 | wc -c", path, path);
	FILE *tar = popen(command, "r");
	got[fread(got, 1, sizeof(got) - 1, tar)] = '\0';
	assert_int_equal(pclose(tar), 0);
	buf_str(&names, "60\n");
	assert_string_equal(got, names.data);
	(void)remove(path);
	buf_done(&to);
	buf_done(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_reads_back),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_zeros_are_the_end_mark),
		cmocka_unit_test(test_any_changed_byte_is_noticed),
		cmocka_unit_test(test_fill_covers_the_gap),
		cmocka_unit_test(test_gnu_tar_agrees),
		cmocka_unit_test(test_gnu_tar_reads_long_names_without_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
