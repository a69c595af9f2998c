/* test_kept.c - bytes between fetch and normalization: one of each content, within the budget, and not for ever. */
#include "daemon/stages/kept.h"

#include "daemon/base/clock.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

CLEANUP_FN(struct kept *, kept_free)

#define LONG (3600 * NS_PER_SEC)

static bool put(struct kept *k, uint8_t name, size_t bytes)
{
	uint8_t *room = kept_room(k, bytes);
	assert_non_null(room);
	memset(room, name, bytes);
	return kept_put(k, &(struct content_id){ { name } }, room, bytes);
}

/* Is it there, with its bytes? It is not any more afterwards. */
static bool take(struct kept *k, uint8_t name, size_t bytes)
{
	CLEANUP(close_fdp) int fd = kept_open(k, &(struct content_id){ { name } });
	uint8_t got[256];
	if (fd < 0)
		return false;
	assert_int_equal(file_read_at(fd, got, bytes, 0, NULL), 0);
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(got[i], name);
	return true;
}

static void test_each_is_taken_once_in_any_order(void **state)
{
	(void)state;
	CLEANUP(kept_freep) struct kept *k = kept_new(1000, LONG);
	assert_true(put(k, 1, 10));
	assert_false(put(k, 2, 20));
	assert_false(put(k, 3, 30));
	assert_true(take(k, 3, 30));
	assert_true(take(k, 1, 10));
	assert_false(take(k, 1, 10));
	assert_false(put(k, 4, 40)); /* behind the last, which was taken */
	assert_true(take(k, 2, 20));
	assert_true(take(k, 4, 40));
	assert_true(put(k, 5, 50));
	assert_true(take(k, 5, 50));
}

static void test_the_budget_holds_with_what_is_still_being_read(void **state)
{
	(void)state;
	CLEANUP(kept_freep) struct kept *k = kept_new(100, LONG);
	uint8_t *room = kept_room(k, 60);
	assert_non_null(room);
	assert_null(kept_room(k, 41));
	(void)put(k, 1, 40);
	assert_null(kept_room(k, 1));
	kept_drop(k, room, 60);
	(void)put(k, 1, 60); /* the same content once more: only one is kept */
	assert_non_null(room = kept_room(k, 60));
	kept_drop(k, room, 60);
	assert_true(take(k, 1, 40));
	assert_non_null(room = kept_room(k, 100));
	kept_drop(k, room, 100);
}

static void test_what_nobody_takes_goes(void **state)
{
	(void)state;
	CLEANUP(kept_freep) struct kept *k = kept_new(100, LONG);
	assert_true(kept_expire(k) == UINT64_MAX);
	(void)put(k, 1, 100);
	assert_in_range(kept_expire(k), clock_mono_ns() + LONG / 2, clock_mono_ns() + LONG);
	assert_true(take(k, 1, 100));
	CLEANUP(kept_freep) struct kept *short_lived = kept_new(100, 0);
	(void)put(short_lived, 1, 50);
	(void)put(short_lived, 2, 50);
	assert_true(kept_expire(short_lived) == UINT64_MAX);
	assert_false(take(short_lived, 1, 50));
	assert_true(put(short_lived, 3, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_taken_once_in_any_order),
		cmocka_unit_test(test_the_budget_holds_with_what_is_still_being_read),
		cmocka_unit_test(test_what_nobody_takes_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
