/* test_crc.c - the published check values, and the fast way against the tables over every length and alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/crc.h"
#include "daemon/base/hash.h"

#include <string.h>

#define BYTES 1500

/* The check values of the catalogue of CRCs ("123456789"), RFC 3720 B.4 (32 zeros, 32 ones), and S3's of no bytes at all. */
static void test_published_values(void **state)
{
	uint8_t bytes[32] = { 0 };
	(void)state;
	assert_int_equal(crc32_add(0, "123456789", 9), 0xCBF43926U);
	assert_int_equal(crc32c_add(0, "123456789", 9), 0xE3069283U);
	assert_true(crc64nvme_add(0, "123456789", 9) == 0xAE8B14860A799888U);
	assert_int_equal(crc32c_add(0, bytes, sizeof(bytes)), 0x8A9136AAU);
	memset(bytes, 0xFF, sizeof(bytes));
	assert_int_equal(crc32c_add(0, bytes, sizeof(bytes)), 0x62A8AB43U);
	assert_int_equal(crc32c_add(0, bytes, 0), 0);
	assert_true(crc64nvme_add(0, bytes, 0) == 0);
}

static void test_fast_way_equals_tables(void **state)
{
	uint8_t bytes[BYTES + 16];
	(void)state;
	hash_random(bytes, sizeof(bytes));
	for (size_t n = 0; n <= BYTES; n++) {
		const uint8_t *p = bytes + n % 16;
		assert_int_equal(crc32_add(7, p, n), crc32_add_portable(7, p, n));
		assert_int_equal(crc32c_add(7, p, n), crc32c_add_portable(7, p, n));
		assert_true(crc64nvme_add(7, p, n) == crc64nvme_add_portable(7, p, n));
	}
}

static void test_pieces_add_up(void **state)
{
	uint8_t bytes[BYTES];
	uint32_t whole, whole_c;
	uint64_t whole_64;
	(void)state;
	hash_random(bytes, sizeof(bytes));
	whole = crc32_add(0, bytes, BYTES);
	whole_c = crc32c_add(0, bytes, BYTES);
	whole_64 = crc64nvme_add(0, bytes, BYTES);
	for (size_t cut = 0; cut <= BYTES; cut += 13) {
		assert_int_equal(crc32_add(crc32_add(0, bytes, cut), bytes + cut, BYTES - cut), whole);
		assert_int_equal(crc32c_add(crc32c_add(0, bytes, cut), bytes + cut, BYTES - cut), whole_c);
		assert_true(crc64nvme_add(crc64nvme_add(0, bytes, cut), bytes + cut, BYTES - cut) == whole_64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_values),
		cmocka_unit_test(test_fast_way_equals_tables),
		cmocka_unit_test(test_pieces_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
