/* test_bucket_page.c - a page is whole and in order, or the pass ends. */
#include "connectors/bucket_page.h"

#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
	char *include[2], *exclude[1];
	struct bucket_config config;
	struct bucket bucket;
	struct bucket_page page;
	char got[512];                    /* "(after,upto] key=version:bytes ..." of each page that was handed on */
};

static char name[] = "b", prefix[] = "p/", jpg[] = "*.jpg";

static int set_up(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	f->config = (struct bucket_config){ .bucket = name, .include = f->include, .exclude = f->exclude };
	bucket_init(&f->bucket, "gs", &f->config);
	bucket_page_init(&f->page, &f->bucket, SLICE_LIT(""));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	bucket_page_done(&f->page);
	bucket_done(&f->bucket);
	free(f);
	return 0;
}

static int collect(void *arg, const struct page *page, struct err *err)
{
	struct fixture *f = arg;
	size_t at = strlen(f->got);
	(void)err;
	at += (size_t)snprintf(f->got + at, sizeof(f->got) - at, "(%.*s,%.*s%s", (int)page->after.len, page->after.p,
		(int)page->upto.len, page->upto.p, page->open_ended ? ")" : "]");
	for (size_t i = 0; i < page->count; i++) {
		const struct entry *e = &page->entries[i];
		assert_int_equal(e->locality, i);
		at += (size_t)snprintf(f->got + at, sizeof(f->got) - at, " %.*s=%.*s:%d", (int)e->name.len, e->name.p,
			(int)e->version.len, e->version.p, (int)e->bytes);
	}
	return 0;
}

static int add(struct fixture *f, const char *key, struct err *err)
{
	return bucket_page_add(&f->page, slice_of(key), SLICE_LIT("7"), 5, ENTRY_FILE, err);
}

static void assert_distrusted(struct fixture *f, struct slice key, struct slice version, const char *why)
{
	struct err err;
	assert_int_equal(bucket_page_add(&f->page, key, version, 0, ENTRY_FILE, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static void test_pages_follow_each_other(void **state)
{
	struct fixture *f = *state;
	struct err err;
	for (int i = 0; i < 2; i++)
		assert_int_equal(add(f, i ? "b" : "a", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("b"), false, collect, f, &err), 0);
	assert_int_equal(add(f, "b/c", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, buf_slice(&f->page.last), true, collect, f, &err), 0);
	assert_string_equal(f->got, "(,b] a=7:5 b=7:5(b,b/c) b/c=7:5");
	assert_int_equal(atomic_load(&f->bucket.listed), 3);
	assert_int_equal(atomic_load(&f->bucket.wanted), 3);
}

static void test_filtered_keys_count_as_listed_and_move_the_end(void **state)
{
	struct fixture *f = *state;
	struct err err;
	f->include[0] = jpg;
	assert_int_equal(add(f, "a.jpg", &err), 0);
	assert_int_equal(add(f, "z.png", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, buf_slice(&f->page.last), true, collect, f, &err), 0);
	assert_string_equal(f->got, "(,z.png) a.jpg=7:5");
	assert_int_equal(atomic_load(&f->bucket.listed), 2);
	assert_int_equal(atomic_load(&f->bucket.wanted), 1);
}

static void test_disorder_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct err err;
	assert_int_equal(add(f, "m", &err), 0);
	assert_distrusted(f, SLICE_LIT("m"), SLICE_LIT("7"), "again or out of order, behind gs://");
	assert_distrusted(f, SLICE_LIT("a"), SLICE_LIT("7"), "again or out of order");
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("m"), false, collect, f, &err), 0);
	assert_distrusted(f, SLICE_LIT("m"), SLICE_LIT("7"), "again or out of order");
	assert_int_equal(add(f, "m\x01", &err), 0);
}

static void test_limits_of_key_and_version(void **state)
{
	struct fixture *f = *state;
	char key[1025], version[VERSION_TOKEN_MAX + 1];
	struct err err;
	memset(key, 'k', sizeof(key));
	memset(version, 'v', sizeof(version));
	assert_distrusted(f, SLICE_LIT(""), SLICE_LIT("7"), "1 to 1024 bytes");
	assert_distrusted(f, (struct slice){ key, 1025 }, SLICE_LIT("7"), "1 to 1024 bytes");
	assert_distrusted(f, SLICE_LIT("a"), SLICE_LIT(""), "no usable version");
	assert_distrusted(f, SLICE_LIT("a"), (struct slice){ version, sizeof(version) }, "no usable version");
	assert_int_equal(bucket_page_add(&f->page, (struct slice){ key, 1024 },
		(struct slice){ version, VERSION_TOKEN_MAX }, 0, ENTRY_FILE, &err), 0);
}

static void test_a_key_outside_the_prefix_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct err err;
	f->config.prefix = prefix;
	assert_int_equal(add(f, "p/a", &err), 0);
	assert_distrusted(f, SLICE_LIT("q/a"), SLICE_LIT("7"), "does not begin with the prefix");
}

static void test_reset_forgets_what_was_not_handed_on(void **state)
{
	struct fixture *f = *state;
	struct err err;
	assert_int_equal(add(f, "a", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("a"), false, collect, f, &err), 0);
	assert_int_equal(add(f, "b", &err), 0);
	bucket_page_reset(&f->page);
	assert_int_equal(add(f, "b", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("b"), true, collect, f, &err), 0);
	assert_string_equal(f->got, "(,a] a=7:5(a,b) b=7:5");
	assert_int_equal(atomic_load(&f->bucket.listed), 2);
}

static int refuse(void *arg, const struct page *page, struct err *err)
{
	(void)arg;
	(void)page;
	return err_set(err, ERR_RETRY, ENOSPC, "no room");
}

static void test_a_refused_page_is_passed_on(void **state)
{
	struct fixture *f = *state;
	struct err err;
	assert_int_equal(add(f, "a", &err), 0);
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("a"), true, refuse, f, &err), -1);
	assert_int_equal(err.sys, ENOSPC);
}

static void test_many_keys_survive_the_growth(void **state)
{
	struct fixture *f = *state;
	struct err err;
	char key[16];
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(key, sizeof(key), "%08d", i);
		assert_int_equal(add(f, key, &err), 0);
	}
	f->got[0] = '\0';
	assert_int_equal(f->page.count, 3000);
	assert_int_equal(bucket_page_emit(&f->page, SLICE_LIT("x"), true, refuse, f, &err), -1);
	assert_memory_equal(f->page.entries[2999].name.p, "00002999", 8);
	assert_memory_equal(f->page.entries[1234].name.p, "00001234", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages_follow_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filtered_keys_count_as_listed_and_move_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disorder_is_not_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits_of_key_and_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_key_outside_the_prefix_is_not_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reset_forgets_what_was_not_handed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_refused_page_is_passed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_keys_survive_the_growth, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
