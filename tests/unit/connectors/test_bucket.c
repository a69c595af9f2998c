/* test_bucket.c - what a bucket source says and when it looks again: identity, polling, and the three ways to find nothing. */
#include "connectors/bucket.h"

#include "daemon/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	char *include[3], *exclude[2];
	struct bucket_config config;
	struct bucket bucket;
};

static char name[] = "photos", cats[] = "cats/", jpg[] = "*.jpg", thumb[] = "thumb/*";

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){ .config = { .bucket = name, .poll_ms = 60000 } };
	f.config.include = f.include;
	f.config.exclude = f.exclude;
	*state = &f;
	return 0;
}

static struct source_status status(struct fixture *f)
{
	struct source_status s;
	bucket_status(&f->bucket, &s);
	return s;
}

static void assert_says(struct fixture *f, const char *what)
{
	struct source_status s = status(f);
	if (!strstr(s.message, what))
		fail_msg("'%s' is not in: %s", what, s.message);
}

static uint64_t due_in_ms(struct fixture *f)
{
	uint64_t due;
	enum discover_scope scope;
	bucket_pump(&f->bucket, &due, &scope);
	assert_int_equal(scope, DISCOVER_ALL);
	uint64_t now = clock_mono_ns();
	return due > now ? (due - now) / NS_PER_MS : 0;
}

static void test_first_pass_is_due_at_once_then_polled(void **state)
{
	struct fixture *f = *state;
	bucket_init(&f->bucket, "gs", &f->config);
	assert_int_equal(due_in_ms(f), 0);
	bucket_begin(&f->bucket);
	atomic_store(&f->bucket.listed, 3);
	atomic_store(&f->bucket.wanted, 3);
	bucket_went_through(&f->bucket, true);
	assert_in_range(due_in_ms(f), 30000, 60000);
	assert_int_equal(status(f).health, SOURCE_POLLED);
	assert_string_equal(status(f).message, "");
	assert_string_equal(status(f).root, "gs://photos");
	bucket_done(&f->bucket);
}

static void test_filters_prefix_and_emptiness_are_told_apart(void **state)
{
	struct fixture *f = *state;
	f->config.prefix = cats;
	f->include[0] = jpg;
	bucket_init(&f->bucket, "gs", &f->config);
	bucket_begin(&f->bucket);
	assert_false(bucket_wants(&f->bucket, slice_of("cats/a.png")));
	assert_false(bucket_wants(&f->bucket, slice_of("cats/b.png")));
	atomic_store(&f->bucket.listed, 2);
	bucket_went_through(&f->bucket, true);
	assert_says(f, "the filters match 0 of 2 keys in gs://photos/cats/");
	assert_says(f, "A key they refuse: 'a.png'");
	bucket_begin(&f->bucket);
	assert_true(bucket_saw_nothing(&f->bucket));
	bucket_went_through(&f->bucket, true);
	assert_says(f, "the prefix does not exist");
	bucket_begin(&f->bucket);
	bucket_went_through(&f->bucket, false);
	assert_says(f, "the bucket is empty");
	bucket_done(&f->bucket);
}

static void test_globs_see_the_key_after_the_prefix(void **state)
{
	struct fixture *f = *state;
	f->config.prefix = cats;
	f->include[0] = jpg;
	f->exclude[0] = thumb;
	bucket_init(&f->bucket, "gs", &f->config);
	assert_true(bucket_wants(&f->bucket, slice_of("cats/a/b.jpg")));
	assert_false(bucket_wants(&f->bucket, slice_of("cats/thumb/b.jpg")));
	assert_true(bucket_wants(&f->bucket, slice_of("cats/x/thumb/b.jpg")));
	assert_false(bucket_wants(&f->bucket, slice_of("dogs/b.jpg")));
	bucket_done(&f->bucket);
}

static void test_failures_back_off_and_obey_retry_after(void **state)
{
	struct fixture *f = *state;
	struct err why;
	bucket_init(&f->bucket, "gs", &f->config);
	(void)err_set(&why, ERR_RETRY, 0, "no such bucket");
	bucket_failed(&f->bucket, &why);
	assert_int_equal(status(f).health, SOURCE_OFFLINE);
	assert_says(f, "no such bucket");
	assert_in_range(due_in_ms(f), 1, 1000);
	why.wait_ms = 90000;
	bucket_failed(&f->bucket, &why);
	assert_in_range(due_in_ms(f), 60000, 90000);
	atomic_store(&f->bucket.wanted, 1);
	bucket_went_through(&f->bucket, true);
	assert_int_equal(status(f).health, SOURCE_POLLED);
	assert_string_equal(status(f).message, "");
	bucket_done(&f->bucket);
}

static void test_stopping_is_no_failure(void **state)
{
	struct fixture *f = *state;
	struct err why;
	bucket_init(&f->bucket, "gs", &f->config);
	bucket_stop(&f->bucket);
	(void)err_set(&why, ERR_RETRY, ECANCELED, "stopping");
	bucket_failed(&f->bucket, &why);
	assert_int_equal(status(f).health, SOURCE_POLLED);
	bucket_done(&f->bucket);
}

static void test_archived_objects_are_counted_in_the_message(void **state)
{
	struct fixture *f = *state;
	bucket_init(&f->bucket, "s3", &f->config);
	bucket_begin(&f->bucket);
	atomic_store(&f->bucket.listed, 10);
	atomic_store(&f->bucket.wanted, 10);
	atomic_store(&f->bucket.archived, 4);
	bucket_went_through(&f->bucket, true);
	assert_says(f, "4 of 10 objects");
	bucket_done(&f->bucket);
}

static void test_keys_in_messages_are_printable(void **state)
{
	struct fixture *f = *state;
	char text[64], small[12];
	bucket_init(&f->bucket, "gs", &f->config);
	bucket_describe(&f->bucket, SLICE_LIT("a\n\x1b[2J"), text, sizeof(text));
	assert_string_equal(text, "gs://photos/a\\x0a\\x1b[2J");
	bucket_describe(&f->bucket, SLICE_LIT("abcdef"), small, sizeof(small));
	assert_string_equal(small, "gs://photos");
	bucket_done(&f->bucket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_pass_is_due_at_once_then_polled, set_up),
		cmocka_unit_test_setup(test_filters_prefix_and_emptiness_are_told_apart, set_up),
		cmocka_unit_test_setup(test_globs_see_the_key_after_the_prefix, set_up),
		cmocka_unit_test_setup(test_failures_back_off_and_obey_retry_after, set_up),
		cmocka_unit_test_setup(test_stopping_is_no_failure, set_up),
		cmocka_unit_test_setup(test_archived_objects_are_counted_in_the_message, set_up),
		cmocka_unit_test_setup(test_keys_in_messages_are_printable, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
