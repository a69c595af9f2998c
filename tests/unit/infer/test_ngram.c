/* test_ngram.c - n-gram tables: counting, capitals, and every kind of damage. */
#include "daemon/infer/ngram.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "tests/unit/infer/real.h"

#include <math.h>

/* The trie of "ab" (feature 0), "b" (1) and "abc" (2), with "bc" as a beginning of nothing; feature 3 is the text
 * itself: 0 root, 1 "a", 2 "b", 3 "ab", 4 "bc", 5 "abc". */
struct table {
	uint32_t states, features;
	uint32_t parent[6];
	int32_t feature[6];
	uint8_t byte[6];
};
static const struct table good = { 6, 4, { 0, 0, 0, 1, 2, 3 }, { -1, -1, 1, 0, -1, 2 },
	{ 0, 'a', 'b', 'b', 'c', 'c' } };

/* This machine's byte order is the file's on every platform that Debian builds ONNX Runtime for. */
static struct buf file_of(const struct table *t)
{
	struct buf b = { 0 };
	buf_str(&b, "INLETNG1");
	buf_add(&b, &t->states, 4);
	buf_add(&b, &t->features, 4);
	buf_add(&b, t->parent, sizeof(t->parent));
	buf_add(&b, t->feature, sizeof(t->feature));
	buf_add(&b, t->byte, sizeof(t->byte));
	return b;
}

static struct ngram *parse(const struct table *t)
{
	CLEANUP(buf_done) struct buf b = file_of(t);
	struct ngram *g = NULL;
	struct err err = { 0 };
	if (ngram_parse("t", buf_slice(&b), &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

static void damaged(struct table t, const char *message)
{
	CLEANUP(buf_done) struct buf b = file_of(&t);
	struct ngram *g = NULL;
	struct err err = { 0 };
	assert_int_equal(ngram_parse("t", buf_slice(&b), &g, &err), -1);
	assert_null(g);
	assert_int_equal(err.class, ERR_REJECT);
	assert_string_equal(err.text, message);
}

static void expect(const struct ngram_features *f, size_t i, int64_t feature, double weight)
{
	assert_int_equal(f->features[i], feature);
	assert_float_equal(f->weights[i], weight, 1e-6);
}

static void test_the_longest_ngram_that_ends_at_a_byte_counts(void **state)
{
	(void)state;
	struct ngram *g = parse(&good);
	assert_int_equal(ngram_feature_count(g), 4);
	struct ngram_features f = ngram_extract(g, slice_of("ababc.b.b"));
	assert_int_equal(f.count, 4); /* ab ab abc b b */
	expect(&f, 0, 0, log(3) / 3);
	expect(&f, 1, 2, log(2) / 3);
	expect(&f, 2, 1, log(3) / 3);
	expect(&f, 3, 3, 1 / 3.0);
	ngram_free(g);
}

static void test_falling_back_finds_what_begins_inside(void **state)
{
	(void)state;
	struct ngram *g = parse(&good);
	struct ngram_features f = ngram_extract(g, slice_of("aab"));
	assert_int_equal(f.count, 2);
	expect(&f, 0, 0, log(2) / sqrt(3));
	f = ngram_extract(g, slice_of("bcab"));
	assert_int_equal(f.count, 3);
	expect(&f, 0, 1, log(2) / 2);
	expect(&f, 1, 0, log(2) / 2);
	ngram_free(g);
}

static void test_texts_do_not_add_up(void **state)
{
	(void)state;
	struct ngram *g = parse(&good);
	(void)ngram_extract(g, slice_of("bbbb"));
	struct ngram_features f = ngram_extract(g, slice_of("b"));
	assert_int_equal(f.count, 2);
	expect(&f, 0, 1, log(2));
	ngram_free(g);
}

static void test_a_text_of_unknown_ngrams_has_no_features(void **state)
{
	(void)state;
	struct ngram *g = parse(&good);
	assert_int_equal(ngram_extract(g, slice_of("xyz")).count, 0);
	assert_int_equal(ngram_extract(g, slice_of("")).count, 0);
	assert_int_equal(ngram_extract(g, (struct slice){ "\0\xff\xfe", 3 }).count, 0);
	ngram_free(g);
}

static void test_a_text_all_in_capitals_is_read_in_lower_case(void **state)
{
	(void)state;
	struct ngram *g = parse(&good);
	assert_int_equal(ngram_extract(g, slice_of("AB, 1!")).features[0], 0);
	assert_int_equal(ngram_extract(g, slice_of("AB, x!")).count, 0);
	/* capitals of more than one byte, some of which become shorter: KELVIN SIGN is k, U+1E9E is U+00DF */
	struct ngram_features f = ngram_extract(g, slice_of("\u0416\u00c4\u212a\u1e9eAB"));
	assert_int_equal(f.count, 2);
	expect(&f, 0, 0, log(2) / sqrt(2 + 2 + 1 + 2 + 2));
	ngram_free(g);
}

static void test_a_table_of_a_root_only_is_a_table(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	buf_add(&b, "INLETNG1\1\0\0\0\1\0\0\0\0\0\0\0\377\377\377\377\0", 25);
	struct ngram *g = NULL;
	struct err err = { 0 };
	assert_int_equal(ngram_parse("t", buf_slice(&b), &g, &err), 0);
	assert_int_equal(ngram_extract(g, slice_of("abc")).count, 0);
	ngram_free(g);
	ngram_free(NULL);
}

static void test_states_out_of_order_are_refused(void **state)
{
	(void)state;
	struct table t = good;
	t.parent[3] = 3;
	damaged(t, "'t': state 3 is out of order; the n-gram table is damaged");
	t = good;
	t.parent[4] = 0;
	damaged(t, "'t': state 4 is out of order; the n-gram table is damaged");
	t = good;
	t.parent[1] = 1;
	damaged(t, "'t': state 1 is out of order; the n-gram table is damaged");
	t = good;
	t.byte[2] = 'a';
	damaged(t, "'t': state 2 is out of order; the n-gram table is damaged");
	t = good;
	t.parent[5] = 0xFFFFFFFF;
	damaged(t, "'t': state 5 is out of order; the n-gram table is damaged");
}

static void test_features_that_are_not_there_are_refused(void **state)
{
	(void)state;
	struct table t = good;
	t.feature[5] = 3; /* the text itself is no n-gram */
	damaged(t, "'t': state 5 has feature 3 of 4; the n-gram table is damaged");
	t.feature[5] = -2;
	damaged(t, "'t': state 5 has feature -2 of 4; the n-gram table is damaged");
}

static void test_sizes_that_lie_are_refused(void **state)
{
	(void)state;
	struct table t = good;
	t.states = 7;
	damaged(t, "'t': 70 bytes where 7 states take 79; the n-gram table is cut or damaged");
	t.states = 0;
	damaged(t, "'t': 0 states and 4 features; 1 to 4194304 are possible");
	t = good;
	t.features = 0x80000000;
	damaged(t, "'t': 6 states and 2147483648 features; 1 to 4194304 are possible");
}

static void test_another_file_is_refused(void **state)
{
	(void)state;
	struct ngram *g = NULL;
	struct err err = { 0 };
	assert_int_equal(ngram_parse("t", slice_of("INLETNG"), &g, &err), -1);
	assert_string_equal(err.text, "'t' is not an n-gram table: it does not begin with INLETNG1");
	assert_int_equal(ngram_open("/nowhere/t", &g, &err), -1);
	assert_int_equal(err.class, ERR_RETRY);
	assert_non_null(strstr(err.text, "make models"));
}

static void test_the_shipped_table_knows_a_sentence(void **state)
{
	(void)state;
	CLEANUP(freep) char *path = real_model("text-default.ngram.bin");
	struct ngram *g = NULL;
	struct err err = { 0 };
	if (ngram_open(path, &g, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(ngram_feature_count(g), 100054);
	struct ngram_features f = ngram_extract(g, slice_of("The ship left the harbour before sunrise."));
	assert_in_range(f.count, 15, 42);
	assert_int_equal(f.features[f.count - 1], 100053);
	ngram_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_ngram_that_ends_at_a_byte_counts),
		cmocka_unit_test(test_falling_back_finds_what_begins_inside),
		cmocka_unit_test(test_texts_do_not_add_up),
		cmocka_unit_test(test_a_text_of_unknown_ngrams_has_no_features),
		cmocka_unit_test(test_a_text_all_in_capitals_is_read_in_lower_case),
		cmocka_unit_test(test_a_table_of_a_root_only_is_a_table),
		cmocka_unit_test(test_states_out_of_order_are_refused),
		cmocka_unit_test(test_features_that_are_not_there_are_refused),
		cmocka_unit_test(test_sizes_that_lie_are_refused),
		cmocka_unit_test(test_another_file_is_refused),
		cmocka_unit_test(test_the_shipped_table_knows_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
