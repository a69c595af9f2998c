/* test_arena.c - laying out members, cutting some out, and the pool's bound. */
#include "daemon/store/arena.h"
#include "daemon/store/segment.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct content_id id_with(uint8_t first)
{
	return (struct content_id){ { first } };
}

/* A member of n bytes of value b. */
static size_t member(struct arena *a, uint8_t b, size_t n)
{
	struct content_id id = id_with(b);
	memset(arena_payload(a), b, n);
	return arena_member(a, &id, n);
}

static void test_members_lie_block_aligned_one_behind_the_other(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, 100);
	assert_int_equal(arena_room(a), ARENA_BYTES - 512);
	assert_int_equal(member(a, 1, 1), 0);
	assert_int_equal(member(a, 2, 512), 1024);
	assert_int_equal(member(a, 3, 513), 2048);
	assert_int_equal(member(a, 4, 0), 3584);
	assert_int_equal(member(a, 5, 9), 4096);
	arena_put(a);
	arena_pool_free(p);
}

static void test_kept_members_move_together(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, 100);
	size_t places[4];
	for (uint8_t i = 0; i < 4; i++)
		places[i] = member(a, i + 1, 700);
	assert_int_equal(arena_keep(a, places[1], 700), 0);
	assert_int_equal(arena_keep(a, places[3], 700), 1536);
	size_t n;
	const uint8_t *bytes = arena_seal(a, &n);
	assert_int_equal(n, 4096);
	assert_int_equal((uintptr_t)bytes % SEGMENT_ALIGN, 0);
	assert_int_equal(bytes[512], 2);
	assert_int_equal(bytes[512 + 700], 0);
	assert_int_equal(bytes[1536 + 512 + 699], 4);
	struct tar_member pad;
	assert_int_equal(tar_parse(bytes + 3072, &pad), 1);
	assert_string_equal(pad.name, "__pad__");
	assert_int_equal(pad.bytes, 512);
	arena_put(a);
	arena_pool_free(p);
}

static void test_nothing_kept_is_nothing_to_append(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, 100);
	size_t n = 1;
	(void)member(a, 1, 10);
	(void)arena_seal(a, &n);
	assert_int_equal(n, 0);
	arena_put(a);
	arena_pool_free(p);
}

static void test_largest_member_fits_and_its_padding_too(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, ARENA_MEMBER_MAX);
	size_t n;
	assert_true(arena_room(a) >= ARENA_MEMBER_MAX);
	assert_int_equal(arena_keep(a, member(a, 7, ARENA_MEMBER_MAX), ARENA_MEMBER_MAX), 0);
	(void)arena_seal(a, &n);
	assert_int_equal(n, ARENA_MEMBER_MAX + SEGMENT_ALIGN);
	arena_put(a);
	arena_pool_free(p);
}

static void test_full_arena_has_no_room(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, 1);
	(void)member(a, 1, arena_room(a));
	assert_int_equal(arena_room(a), 0);
	arena_put(a);
	arena_pool_free(p);
}

static void test_reused_arena_is_empty(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *a = arena_get(p, 1);
	(void)arena_keep(a, member(a, 1, 5), 5);
	arena_put(a);
	struct arena *again = arena_get(p, 1);
	assert_ptr_equal(again, a);
	assert_int_equal(arena_room(again), ARENA_BYTES - 512);
	assert_int_equal(arena_kept(again), 0);
	arena_put(again);
	arena_pool_free(p);
}

struct waiter {
	struct arena_pool *pool;
	size_t want;
	atomic_bool done;
	struct arena *got;
};

static void *wait_for_arena(void *arg)
{
	struct waiter *w = arg;
	w->got = arena_get(w->pool, w->want);
	atomic_store(&w->done, true);
	return NULL;
}

#define POOL_USUAL 12 /* the least budget is 8 MiB + 4 KiB + 4 usual ones */

static void test_spent_budget_blocks_until_one_is_back(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *all[POOL_USUAL];
	for (int i = 0; i < POOL_USUAL; i++)
		all[i] = arena_get(p, 1);
	struct waiter w = { .pool = p, .want = 1 };
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, wait_for_arena, &w), 0);
	usleep(20000);
	assert_false(atomic_load(&w.done));
	arena_put(all[0]);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_non_null(w.got);
	arena_put(w.got);
	for (int i = 1; i < POOL_USUAL; i++)
		arena_put(all[i]);
	arena_pool_free(p);
}

static void test_spare_ones_make_room_for_a_large_one(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *all[POOL_USUAL];
	for (int i = 0; i < POOL_USUAL; i++)
		all[i] = arena_get(p, 1);
	for (int i = 0; i < POOL_USUAL; i++)
		arena_put(all[i]);
	struct arena *large = arena_get(p, ARENA_MEMBER_MAX);
	assert_true(arena_room(large) >= ARENA_MEMBER_MAX);
	arena_put(large);
	arena_pool_free(p);
}

static void test_close_wakes_waiters_with_nothing(void **state)
{
	(void)state;
	struct arena_pool *p = arena_pool_new(0);
	struct arena *all[POOL_USUAL];
	for (int i = 0; i < POOL_USUAL; i++)
		all[i] = arena_get(p, 1);
	struct waiter w[2] = { { .pool = p, .want = 1 }, { .pool = p, .want = ARENA_MEMBER_MAX } };
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, wait_for_arena, &w[i]), 0);
	arena_pool_close(p);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_null(w[i].got);
	}
	for (int i = 0; i < POOL_USUAL; i++)
		arena_put(all[i]);
	arena_pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_lie_block_aligned_one_behind_the_other),
		cmocka_unit_test(test_kept_members_move_together),
		cmocka_unit_test(test_nothing_kept_is_nothing_to_append),
		cmocka_unit_test(test_largest_member_fits_and_its_padding_too),
		cmocka_unit_test(test_full_arena_has_no_room),
		cmocka_unit_test(test_reused_arena_is_empty),
		cmocka_unit_test(test_spent_budget_blocks_until_one_is_back),
		cmocka_unit_test(test_spare_ones_make_room_for_a_large_one),
		cmocka_unit_test(test_close_wakes_waiters_with_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
