/* test_sorter.c - more records than memory holds come back in order, each once and whole. */
#include "daemon/manifest/sorter.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

CLEANUP_FN(struct sorter *, sorter_free)

static int spool(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void add(struct sorter *s, const char *key, uint32_t kind, uint64_t offset, struct slice text)
{
	struct sorter_record r = { .key = slice_of(key), .kind = kind, .at = { .offset = offset }, .reason = "why", .text = text };
	struct err err;
	assert_int_equal(sorter_add(s, &r, &err), 0);
}

static void assert_next(struct sorter *s, const char *key, uint32_t kind, uint64_t offset)
{
	const struct sorter_record *r = sorter_peek(s);
	struct err err;
	assert_non_null(r);
	assert_true(slice_eq(r->key, slice_of(key)));
	assert_int_equal(r->kind, kind);
	assert_int_equal(r->at.offset, offset);
	assert_string_equal(r->reason, "why");
	assert_null(r->cure);
	assert_int_equal(sorter_pop(s, &err), 0);
}

static void test_order(void **state)
{
	CLEANUP(close_fdp) int fd = spool();
	CLEANUP(sorter_freep) struct sorter *s = sorter_new(fd);
	struct err err;
	(void)state;
	add(s, "10", 0, 1, SLICE_LIT("x"));
	add(s, "9", 1, 2, SLICE_LIT(""));
	add(s, "9", 0, 9, SLICE_LIT("y"));
	add(s, "9", 0, 3, SLICE_LIT("z"));
	add(s, "", 5, 4, SLICE_LIT(""));
	assert_int_equal(sorter_finish(s, &err), 0);
	assert_next(s, "", 5, 4);
	assert_next(s, "9", 0, 3);
	assert_next(s, "9", 0, 9);
	assert_next(s, "9", 1, 2);
	assert_next(s, "10", 0, 1); /* shorter keys first: numbers in their order */
	assert_null(sorter_peek(s));
}

static void test_none(void **state)
{
	CLEANUP(close_fdp) int fd = spool();
	CLEANUP(sorter_freep) struct sorter *s = sorter_new(fd);
	struct err err;
	(void)state;
	assert_int_equal(sorter_finish(s, &err), 0);
	assert_null(sorter_peek(s));
}

#define MANY 200000 /* 30 MB or so: four runs */

/* A permutation, so that every number comes once: MANY and the factor have no common divisor. */
static uint64_t number(uint64_t i)
{
	return i * 77773 % MANY;
}

static void test_more_than_one_run(void **state)
{
	CLEANUP(close_fdp) int fd = spool();
	CLEANUP(sorter_freep) struct sorter *s = sorter_new(fd);
	char key[32], text[128];
	struct err err;
	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "%llu", (unsigned long long)number(i));
		memset(text, (int)('a' + number(i) % 26), sizeof(text));
		add(s, key, 0, i, (struct slice){ text, number(i) % sizeof(text) });
	}
	assert_int_equal(sorter_finish(s, &err), 0);
	for (uint64_t n = 0; n < MANY; n++) {
		const struct sorter_record *r = sorter_peek(s);
		assert_non_null(r);
		(void)snprintf(key, sizeof(key), "%llu", (unsigned long long)n);
		assert_true(slice_eq(r->key, slice_of(key)));
		assert_int_equal(number(r->at.offset), n);
		assert_int_equal(r->text.len, n % sizeof(text));
		for (size_t i = 0; i < r->text.len; i++)
			assert_int_equal(r->text.p[i], 'a' + n % 26);
		assert_int_equal(sorter_pop(s, &err), 0);
	}
	assert_null(sorter_peek(s));
}

/* One that is larger than a run. */
static void test_a_large_record(void **state)
{
	CLEANUP(close_fdp) int fd = spool();
	CLEANUP(sorter_freep) struct sorter *s = sorter_new(fd);
	const size_t bytes = 20U << 20;
	CLEANUP(freep) char *text = mem_alloc(bytes);
	struct err err;
	(void)state;
	memset(text, 'L', bytes);
	add(s, "c", 0, 1, SLICE_LIT("small"));
	add(s, "b", 0, 2, (struct slice){ text, bytes });
	add(s, "a", 0, 3, SLICE_LIT("small"));
	assert_int_equal(sorter_finish(s, &err), 0);
	assert_next(s, "a", 0, 3);
	const struct sorter_record *r = sorter_peek(s);
	assert_non_null(r);
	assert_int_equal(r->text.len, bytes);
	assert_int_equal(r->text.p[bytes - 1], 'L');
	assert_next(s, "b", 0, 2);
	assert_next(s, "c", 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_more_than_one_run),
		cmocka_unit_test(test_a_large_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
