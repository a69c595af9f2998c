/* test_sidecar.c - which file is the sidecar of which, and what one that cannot be used says of itself. */
#include "tests/unit/manifest/fixture.h"

#include "daemon/manifest/sidecar.h"

static void speaks_of(const char *path, const char *subject)
{
	struct slice s = sidecar_subject(slice_of(path));
	assert_int_equal(s.len, strlen(subject));
	assert_memory_equal(s.p ? s.p : "", subject, s.len);
	if (!s.len)
		return;
	assert_ptr_equal(s.p, path);
	assert_true(sidecar_may_be_of(s));
}

static void test_pairs(void **state)
{
	(void)state;
	speaks_of("a.jpg.json", "a.jpg");
	speaks_of("in/a b/c.tar.gz.json", "in/a b/c.tar.gz");
	speaks_of("noending.json", "noending");
	speaks_of("a/.hidden.json", "a/.hidden");
	speaks_of(".json.json", ".json"); /* a hidden file called json */
	speaks_of("caf\xe9.jpg.json", "caf\xe9.jpg");
}

static void test_files_like_any_other(void **state)
{
	(void)state;
	static const char *const files[] = { "", "a", "a.jpg", ".json", "in/.json", "json", "ajson", "a.JSON", "a.jpg.jsonl", "a.json/b",
		"a.jpg.json.json", "a.json.json.json", "a.json/" };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		speaks_of(files[i], "");
	assert_false(sidecar_may_be_of(SLICE_LIT("in/a.json")));
	assert_true(sidecar_may_be_of(SLICE_LIT("in/.json")));
	assert_true(sidecar_may_be_of(SLICE_LIT("a.json/b")));
}

/* What it says, or why it cannot be used. */
static void reads(const char *text, const char *expected)
{
	struct feed f = { .text = slice_of(text), .piece = 7 };
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	CLEANUP(buf_done) struct buf got = { 0 }, cure = { 0 };
	struct manifest_row row;
	struct err why = { 0 };
	buf_str(&cure, "the caller's");
	if (sidecar_read("in/a.jpg.json", feed_read, &f, &m, &row, &cure, &why) == 0)
		dump_row(&row, &got);
	else
		assert_int_equal(why.class, ERR_REJECT);
	assert_string_equal(got.data ? got.data : why.text, expected);
	assert_true(cure.len > 0); /* what has no better cure keeps that of the caller */
}

static void test_reading(void **state)
{
	(void)state;
	reads("{\"label\": \"cat\", \"metadata\": {\"k\": 1}}\n",
		"{\"path\":\"a.jpg\",\"metadata\":{\"k\": 1},\"labels\":[{\"concept\":\"cat\"}]}");
	reads("", "the sidecar is empty");
	reads("{\"label\": \n  nothing}", "line 2, column 3: a value is expected here");
	reads("[1]", "line 1, column 2: the row is no JSON object");
	reads("[{\"label\": \"cat\"} ]\n", "{\"path\":\"a.jpg\",\"labels\":[{\"concept\":\"cat\"}]}");
	/* What would be passed over in silence. */
	reads("{\"label\": \"cat\"}\n\n{\"label\": \"dog\"}\n", "line 3, column 1: more follows its JSON object");
	reads("[{\"label\": \"cat\"},\n {\"label\": \"dog\"}]", "line 1, column 18: more follows its JSON object");
	reads("{\n\"label\": \"cat\"\n}\n}", "line 4, column 1: more follows its JSON object");
	/* One label, or some with how sure each is. */
	reads("{\"labels\": {\"name\": \"cat\", \"score\": 0.5}}",
		"{\"path\":\"a.jpg\",\"labels\":[{\"concept\":\"cat\",\"confidence\":0.5}]}");
	reads("{\"label\": {\"cat\": 0.5, \"a \\\"dog\\\"\": 0.25}}",
		"{\"path\":\"a.jpg\",\"labels\":[{\"concept\":\"cat\",\"confidence\":0.5},{\"concept\":\"a \\\"dog\\\"\",\"confidence\":0.25}]}");
	reads("{\"labels\": {\"x\": [1]}}", "{\"path\":\"a.jpg\",\"warning\":\"its labels are an object without a name, and left out\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_files_like_any_other),
		cmocka_unit_test(test_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
