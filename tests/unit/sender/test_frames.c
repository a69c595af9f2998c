/* test_frames.c - rows from the frames of an upload until they are durable. */
#include "daemon/sender/frames.h"
#include "daemon/sender/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct import_group *file(const char *path)
{
	const struct manifest_row row = { .identity_kind = ROW_BY_REFERENCE, .identity = slice_of(path), .content_kind = ROW_PATH,
		.content = slice_of(path) };
	return group_of_file(&row);
}

static struct import_group *take(struct sender_sent *s, json_int_t frame)
{
	json_t *n = json_integer(frame);
	struct import_group *g = sent_take(s, n);
	json_decref(n);
	return g;
}

static void test_rows_are_remembered_until_they_are_durable(void **state)
{
	struct sender_frames f = { 0 };
	struct sender_sent s = { 0 };
	(void)state;
	frames_note(&f, file("a"), 1);
	frames_note(&f, NULL, 2); /* two that failed */
	frames_note(&f, file("b"), 1);
	sent_add(&s, &f);
	assert_int_equal(f.count, 0);
	assert_int_equal(s.count, 4);
	frames_note(&f, file("c"), 1);
	sent_add(&s, &f);
	sent_forget(&s, 3); /* the fourth frame and the fifth are left */
	assert_int_equal(s.first, 3);
	assert_int_equal(s.count, 2);
	sent_forget(&s, 1); /* an answer that was late */
	assert_int_equal(s.first, 3);
	assert_null(take(&s, 2));
	assert_null(take(&s, -1));
	assert_null(take(&s, 5));
	struct import_group *c = take(&s, 4);
	assert_true(slice_eq(buf_slice(&c->key), SLICE_LIT("c")));
	group_free(c);
	assert_null(take(&s, 4)); /* once */
	sent_forget(&s, 100);
	assert_int_equal(s.first, 5);
	assert_int_equal(s.held, 0);
	sent_done(&s);
	frames_done(&f);
}

static void test_an_offered_file_stands_before_another_of_its_key(void **state)
{
	struct sender_frames f = { 0 };
	struct import_group *other = file("other"), *same = file("a");
	(void)state;
	other->key.len = 0;
	buf_str(&other->key, "a");
	frames_note(&f, file("a"), 1);
	assert_false(frames_offer_other(&f, other)); /* it was sent whole */
	f.offers = 1;
	assert_true(frames_offer_other(&f, other));
	assert_false(frames_offer_other(&f, same));
	group_free(other);
	group_free(same);
	frames_done(&f);
}

/* A file of a list that is not there: its origin is its path, beside where the row stands. */
static void test_a_file_that_may_come_has_its_path_for_origin(void **state)
{
	struct import_group *g = file("a \"b\".jpg");
	json_error_t why;
	(void)state;
	group_await(g);
	json_t *origin = json_loadb(g->origin.data, g->origin.len, 0, &why);
	assert_non_null(origin);
	assert_string_equal(json_string_value(json_object_get(origin, "url")), "a \"b\".jpg");
	assert_string_equal(json_string_value(json_object_get(origin, "raw")), "a \"b\".jpg");
	json_decref(origin);
	group_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_remembered_until_they_are_durable),
		cmocka_unit_test(test_an_offered_file_stands_before_another_of_its_key),
		cmocka_unit_test(test_a_file_that_may_come_has_its_path_for_origin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
