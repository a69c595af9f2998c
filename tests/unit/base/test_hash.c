/* test_hash.c - SHA-256 against published vectors, set digests that do not depend on order, random bytes. */
#include "daemon/base/hash.h"
#include "daemon/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void assert_digest(const uint8_t digest[SHA256_BYTES], const char *hex)
{
	char text[2 * SHA256_BYTES + 1];
	text_hex(digest, SHA256_BYTES, text);
	assert_string_equal(text, hex);
}

static const char empty_hex[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc_hex[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void test_known_digests_with_one_context(void **state)
{
	(void)state;
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_BYTES];
	sha256_end(h, digest); /* new is begun */
	assert_digest(digest, empty_hex);
	sha256_of(h, "abc", 3, digest);
	assert_digest(digest, abc_hex);
	sha256_of(h, NULL, 0, digest);
	assert_digest(digest, empty_hex);
	sha256_begin(h);
	for (int i = 0; i < 1000000; i += 1000) {
		char a[1000];
		memset(a, 'a', sizeof(a));
		sha256_add(h, a, sizeof(a));
	}
	sha256_end(h, digest);
	assert_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	sha256_free(h);
}

static void test_begin_drops_an_unfinished_message(void **state)
{
	(void)state;
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_BYTES];
	sha256_add(h, "unfinished", 10);
	sha256_begin(h);
	sha256_add(h, "a", 1);
	sha256_add(h, "bc", 2);
	sha256_end(h, digest);
	assert_digest(digest, abc_hex);
	sha256_free(h);
	sha256_free(NULL);
}

static void test_siphash_128_of_its_authors(void **state)
{
	(void)state;
	struct hash_key key;
	for (uint8_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = i;
	struct digest128 digest = { 0 };
	digest128_add(&digest, &key, "", 0); /* first row of vectors_sip128: a3817f04ba25a8e66df67214c7550293 */
	assert_true(digest.lo == 0xe6a825ba047f81a3ULL);
	assert_true(digest.hi == 0x930255c71472f66dULL);
}

static void test_set_digest_ignores_order_and_takes_back(void **state)
{
	(void)state;
	const struct hash_key key = { { 1, 2, 3 } };
	static const char *const names[] = { "a.jpg", "b.jpg", "", "c/d.jpg" };
	struct digest128 there = { 0 };
	struct digest128 back = { 0 };
	for (size_t i = 0; i < 4; i++) {
		digest128_add(&there, &key, names[i], strlen(names[i]));
		digest128_add(&back, &key, names[3 - i], strlen(names[3 - i]));
	}
	assert_memory_equal(&there, &back, sizeof(there));
	for (size_t i = 0; i < 4; i++)
		digest128_sub(&there, &key, names[i], strlen(names[i]));
	assert_true(there.lo == 0 && there.hi == 0);
}

static void test_set_digest_carries_between_its_words(void **state)
{
	(void)state;
	const struct hash_key key = { { 9 } };
	struct digest128 one = { 0 };
	digest128_add(&one, &key, "x", 1);
	struct digest128 sum = { .lo = UINT64_MAX, .hi = 5 };
	digest128_add(&sum, &key, "x", 1);
	assert_true(one.lo != 0);
	assert_true(sum.lo == one.lo - 1 && sum.hi == one.hi + 6);
}

static void test_key_changes_the_digest(void **state)
{
	(void)state;
	const struct hash_key key = { { 1 } };
	const struct hash_key other = { { 2 } };
	struct digest128 a = { 0 };
	struct digest128 b = { 0 };
	digest128_add(&a, &key, "x", 1);
	digest128_add(&b, &other, "x", 1);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void test_random_fills_all_and_differs(void **state)
{
	(void)state;
	uint8_t a[64] = { 0 };
	uint8_t b[64] = { 0 };
	hash_random(a, sizeof(a));
	hash_random(b, sizeof(b));
	static const uint8_t none[16];
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 48, none, sizeof(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_digests_with_one_context),
		cmocka_unit_test(test_begin_drops_an_unfinished_message),
		cmocka_unit_test(test_siphash_128_of_its_authors),
		cmocka_unit_test(test_set_digest_ignores_order_and_takes_back),
		cmocka_unit_test(test_set_digest_carries_between_its_words),
		cmocka_unit_test(test_key_changes_the_digest),
		cmocka_unit_test(test_random_fills_all_and_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
