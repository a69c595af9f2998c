/* test_queue.c - the bounded queue: order, backpressure, the end, many threads. */
#include "daemon/base/clock.h"
#include "daemon/base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define CAPACITY 3

static void *item(uintptr_t n)
{
	return (void *)n; /* the queue only carries pointers */
}

static void test_first_in_first_out_around_the_ring(void **state)
{
	(void)state;
	struct queue *q = queue_new(CAPACITY, NULL);
	uintptr_t in = 1;
	uintptr_t out = 1;
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 2; i++)
			assert_int_equal(queue_push(q, item(in++)), 0);
		for (int i = 0; i < 2; i++)
			assert_ptr_equal(queue_pop(q), item(out++));
	}
	queue_free(q);
}

static void test_pushing_over_the_capacity_keeps_the_order(void **state)
{
	(void)state;
	struct queue *q = queue_new(CAPACITY, NULL);
	uintptr_t in = 1;
	uintptr_t out = 1;
	for (int i = 0; i < 2; i++)
		assert_int_equal(queue_push(q, item(in++)), 0);
	assert_ptr_equal(queue_pop(q), item(out++)); /* the ring's start is not its first place */
	for (int i = 0; i < 5 * CAPACITY; i++)
		assert_int_equal(queue_push_over(q, item(in++)), 0);
	while (out < in)
		assert_ptr_equal(queue_pop(q), item(out++));
	assert_int_equal(queue_push(q, item(in)), 0);
	queue_close(q);
	assert_int_equal(queue_push_over(q, item(in)), -1);
	assert_ptr_equal(queue_pop(q), item(in));
	queue_free(q);
}

static void test_closed_refuses_new_and_gives_what_is_inside(void **state)
{
	(void)state;
	struct queue *q = queue_new(CAPACITY, NULL);
	assert_int_equal(queue_push(q, item(1)), 0);
	queue_close(q);
	assert_int_equal(queue_push(q, item(2)), -1);
	assert_ptr_equal(queue_pop(q), item(1));
	assert_null(queue_pop(q));
	assert_null(queue_pop_until(q, clock_mono_ns() + 3600 * NS_PER_SEC));
	queue_free(q);
}

static void test_pop_until_gives_up_and_gives_items(void **state)
{
	(void)state;
	struct queue *q = queue_new(CAPACITY, NULL);
	uint64_t deadline = clock_mono_ns() + 5 * NS_PER_MS;
	assert_null(queue_pop_until(q, deadline));
	assert_true(clock_mono_ns() >= deadline);
	assert_int_equal(queue_push(q, item(7)), 0);
	assert_ptr_equal(queue_pop_until(q, 0), item(7)); /* there already: the deadline does not matter */
	queue_free(q);
}

static size_t freed;

static void count_free(void *p)
{
	freed += (size_t)(uintptr_t)p;
}

static void test_free_releases_what_is_left(void **state)
{
	(void)state;
	struct queue *q = queue_new(CAPACITY, count_free);
	for (uintptr_t i = 1; i <= 3; i++)
		assert_int_equal(queue_push(q, item(i)), 0);
	assert_ptr_equal(queue_pop(q), item(1));
	assert_int_equal(queue_push(q, item(4)), 0); /* wraps */
	freed = 0;
	queue_free(q);
	assert_int_equal(freed, 2 + 3 + 4);
	queue_free(NULL);
}

static void *push_one(void *arg)
{
	return item((uintptr_t)(queue_push(arg, item(9)) + 2)); /* 2: accepted, 1: closed */
}

static void test_full_blocks_the_producer_until_there_is_room(void **state)
{
	(void)state;
	struct queue *q = queue_new(1, NULL);
	assert_int_equal(queue_push(q, item(8)), 0);
	pthread_t producer;
	assert_int_equal(pthread_create(&producer, NULL, push_one, q), 0);
	for (int i = 0; i < 1000; i++) { /* however long it is given, it cannot get in */
		(void)sched_yield();
		assert_int_equal(pthread_tryjoin_np(producer, NULL), EBUSY);
	}
	assert_ptr_equal(queue_pop(q), item(8));
	assert_ptr_equal(queue_pop(q), item(9));
	void *result;
	assert_int_equal(pthread_join(producer, &result), 0);
	assert_ptr_equal(result, item(2));
	queue_free(q);
}

static void test_a_blocked_producer_goes_on_once_half_is_taken(void **state)
{
	(void)state;
	struct queue *q = queue_new(4, NULL);
	pthread_t producer;
	void *result;
	for (uintptr_t i = 1; i <= 4; i++)
		assert_int_equal(queue_push(q, item(i)), 0);
	assert_int_equal(pthread_create(&producer, NULL, push_one, q), 0);
	assert_ptr_equal(queue_pop(q), item(1));
	assert_ptr_equal(queue_pop(q), item(2));
	assert_int_equal(pthread_join(producer, &result), 0); /* with two items still inside */
	assert_ptr_equal(result, item(2));
	for (uintptr_t i = 3; i <= 4; i++)
		assert_ptr_equal(queue_pop(q), item(i));
	assert_ptr_equal(queue_pop(q), item(9));
	queue_free(q);
}

static void test_close_wakes_a_blocked_producer(void **state)
{
	(void)state;
	struct queue *q = queue_new(1, NULL);
	assert_int_equal(queue_push(q, item(8)), 0);
	pthread_t producer;
	assert_int_equal(pthread_create(&producer, NULL, push_one, q), 0);
	queue_close(q);
	void *result;
	assert_int_equal(pthread_join(producer, &result), 0);
	assert_ptr_equal(result, item(1));
	assert_ptr_equal(queue_pop(q), item(8));
	assert_null(queue_pop(q));
	queue_free(q);
}

#define THREADS 4
#define EACH 5000
static struct queue *shared;

static void *produce(void *arg)
{
	for (uintptr_t i = 0; i < EACH; i++) {
		if (queue_push(shared, item((uintptr_t)arg * EACH + i + 1)) < 0)
			return NULL;
	}
	return NULL;
}

static void *consume(void *arg)
{
	uint64_t *sum = arg;
	for (void *p; (p = queue_pop(shared));)
		*sum += (uintptr_t)p;
	return NULL;
}

static void test_many_threads_lose_and_double_nothing(void **state)
{
	(void)state;
	shared = queue_new(CAPACITY, NULL);
	pthread_t producers[THREADS];
	pthread_t consumers[THREADS];
	uint64_t sums[THREADS] = { 0 };
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&consumers[i], NULL, consume, &sums[i]), 0);
		assert_int_equal(pthread_create(&producers[i], NULL, produce, item(i)), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(producers[i], NULL), 0);
	queue_close(shared);
	uint64_t sum = 0;
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(consumers[i], NULL), 0);
		sum += sums[i];
	}
	const uint64_t n = (uint64_t)THREADS * EACH;
	assert_true(sum == n * (n + 1) / 2);
	queue_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_in_first_out_around_the_ring),
		cmocka_unit_test(test_pushing_over_the_capacity_keeps_the_order),
		cmocka_unit_test(test_closed_refuses_new_and_gives_what_is_inside),
		cmocka_unit_test(test_pop_until_gives_up_and_gives_items),
		cmocka_unit_test(test_free_releases_what_is_left),
		cmocka_unit_test(test_full_blocks_the_producer_until_there_is_room),
		cmocka_unit_test(test_a_blocked_producer_goes_on_once_half_is_taken),
		cmocka_unit_test(test_close_wakes_a_blocked_producer),
		cmocka_unit_test(test_many_threads_lose_and_double_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
