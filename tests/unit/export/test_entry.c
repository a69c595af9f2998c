/* test_entry.c - what an entry's row says, or its reference where there is no row; and members carried over as they came. */
#include "daemon/export/entry.h"
#include "tests/unit/export/entries.h"

static void place(void *arg, const struct reference *r, struct buf *to)
{
	if (arg)
		buf_printf(to, "%s%.*s", (const char *)arg, (int)r->key.len, r->key.p);
}

/* "at where id media split metadata unreadable said", each in brackets. */
static void expect_entry_of(const struct made *m, const struct import_row *own, size_t own_count, const char *place_of,
	const char *expected)
{
	struct entry e = { 0 };
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .place = place, .place_arg = (void *)(uintptr_t)place_of };
	const struct item_full full = { .item = m->item, .references = &m->reference, .reference_count = 1, .rows = &m->row,
		.row_count = m->row.body.len > 0, .own = own, .own_count = own_count };
	for (size_t i = 0; i < 2; i++) { /* an entry is used again */
		text.len = 0;
		if (entry_read(&e, &o, &full, &err) < 0)
			fail_msg("%s", err.text);
		const struct slice said = e.said ? node_json(e.said) : SLICE_LIT("");
		const struct slice words[] = { e.where, e.id, slice_of(media_name(e.media)), e.split, e.metadata, e.unreadable, said };
		buf_printf(&text, "%s%s", e.at ? row_content_name(e.at) : "nowhere", e.listed ? "" : " unlisted");
		for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
			buf_printf(&text, " [%.*s]", (int)words[k].len, words[k].len ? words[k].p : "");
		assert_string_equal(text.data, expected);
	}
	entry_done(&e);
}

static void expect_entry(const struct made *m, const char *place_of, const char *expected)
{
	expect_entry_of(m, NULL, 0, place_of, expected);
}

static void test_what_a_row_says(void **state)
{
	(void)state;
	const struct made all = entry_make(7, MEDIA_IMAGE, "own id",
		"{\"at\":\"path\",\"where\":\"cats/a \\\"b\\\".jpg\",\"media\":\"image\",\"split\":\"val\",\"metadata\":{\"k\":1.50,\"big\":"
		"12345678901234567890},\"attributes\":{\"id\":3}}");
	expect_entry(&all, NULL, "path [cats/a \"b\".jpg] [own id] [image] [val] [{\"k\":1.50,\"big\":12345678901234567890}] [] [{\"id\":3}]");
	const struct made url = entry_make(7, MEDIA_UNKNOWN, "https://h/a", "{\"at\":\"url\",\"where\":\"https://h/a?sig=1\",\"media\":\"video\","
		"\"unreadable\":\"{'a': b}\"}");
	expect_entry(&url, NULL, "url [https://h/a?sig=1] [https://h/a] [video] [] [] [{'a': b}] []");
	const struct made text = entry_make(7, MEDIA_TEXT, "text:" SHA_AB, "{\"at\":\"text\"}");
	expect_entry(&text, NULL, "text [] [] [text] [] [] [] []");
}

/* A key that was made of the place, or of the content, is no id of the row's own. */
static void test_ids_that_were_made(void **state)
{
	(void)state;
	static const char *const made_of[] = { "a.jpg", "text:" SHA_AB, "sha256:" SHA_AB };
	for (size_t i = 0; i < sizeof(made_of) / sizeof(*made_of); i++) {
		const struct made m = entry_make(7, MEDIA_IMAGE, made_of[i], "{\"at\":\"path\",\"where\":\"a.jpg\"}");
		expect_entry(&m, NULL, "path [a.jpg] [] [image] [] [] [] []");
	}
	const struct made short_one = entry_make(7, MEDIA_IMAGE, "sha256:ab", "{\"at\":\"s3\",\"where\":\"s3://b/a.jpg\"}");
	expect_entry(&short_one, NULL, "s3 [s3://b/a.jpg] [sha256:ab] [image] [] [] [] []");
	struct made bytes = entry_make(7, MEDIA_IMAGE, "\xff", "{\"at\":\"gs\",\"where\":\"gs://b/a.jpg\"}");
	expect_entry(&bytes, NULL, "gs [gs://b/a.jpg] [] [image] [] [] [] []");
}

static void test_without_a_row_the_source_knows(void **state)
{
	(void)state;
	struct made m = entry_make(7, MEDIA_AUDIO, "a/b.wav", NULL);
	expect_entry(&m, "/data/", "path unlisted [/data/a/b.wav] [] [audio] [] [] [] []");
	expect_entry(&m, "s3://bucket/", "s3 unlisted [s3://bucket/a/b.wav] [] [audio] [] [] [] []");
	expect_entry(&m, "gs://bucket/", "gs unlisted [gs://bucket/a/b.wav] [] [audio] [] [] [] []");
	expect_entry(&m, NULL, "nowhere unlisted [] [] [audio] [] [] [] []");
	m.reference.key = SLICE_LIT("b\xff.wav");
	expect_entry(&m, "/data/", "nowhere unlisted [] [] [audio] [] [] [] []");
}

/* What the source says by folder and by sidecar is no place; it tells what no row does. */
static void test_what_a_source_says(void **state)
{
	(void)state;
	static const char metadata[] = "{\"at\":\"sidecar\",\"where\":\"b/a.jpg.json\",\"split\":\"test\",\"metadata\":{\"k\":1}}";
	const struct import_row own[] = { { .object = 7, .row = 1, .body = SLICE_LIT("{\"at\":\"directory\",\"split\":\"val\"}") },
		{ .object = 7, .row = 2, .body = slice_of(metadata) } };
	struct made m = entry_make(7, MEDIA_IMAGE, "b/a.jpg", NULL);
	expect_entry_of(&m, own, 2, "/data/", "path unlisted [/data/b/a.jpg] [] [image] [val] [{\"k\":1}] [] []");
	expect_entry_of(&m, own, 2, NULL, "nowhere unlisted [] [] [image] [val] [{\"k\":1}] [] []");
	m = entry_make(7, MEDIA_IMAGE, "a", "{\"at\":\"path\",\"where\":\"x.jpg\"}");
	expect_entry_of(&m, own, 2, "/data/", "path [x.jpg] [a] [image] [val] [] [] []");
	m = entry_make(7, MEDIA_IMAGE, "a", "{\"at\":\"path\",\"where\":\"x.jpg\",\"split\":\"train\"}");
	expect_entry_of(&m, own, 2, "/data/", "path [x.jpg] [a] [image] [train] [] [] []");
}

static void test_a_row_that_is_none(void **state)
{
	(void)state;
	const struct made m = entry_make(7, MEDIA_IMAGE, "a", "{\"at\":");
	const struct item_full full = { .item = m.item, .rows = &m.row, .row_count = 1 };
	const struct export_options o = { 0 };
	struct entry e = { 0 };
	struct err err;
	assert_int_equal(entry_read(&e, &o, &full, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	entry_done(&e);
}

static void expect_characters(const char *text, int result)
{
	struct entry e = { 0 };
	struct err err;
	const struct export_options o = { .text = entry_bytes, .text_arg = (void *)(uintptr_t)text };
	assert_int_equal(entry_text(&e, &o, &(struct item){ .id = 1 }, &err), result);
	if (result > 0)
		assert_true(slice_eq(e.where, slice_of(text)));
	entry_done(&e);
}

static int no_bytes(void *arg, const struct item *item, struct buf *to, struct err *err)
{
	(void)arg;
	(void)item;
	(void)to;
	return err_set(err, ERR_RETRY, 0, "the disk is away");
}

static void test_the_characters_of_a_text(void **state)
{
	(void)state;
	expect_characters("h\xc3\xa9llo \"x\"\n", 1);
	expect_characters("", 1);
	expect_characters("h\xe9llo", 0);
	struct entry e = { 0 };
	struct err err;
	assert_int_equal(entry_text(&e, &(struct export_options){ 0 }, &(struct item){ .id = 1 }, &err), 0);
	assert_int_equal(entry_text(&e, &(struct export_options){ .text = no_bytes }, &(struct item){ .id = 1 }, &err), -1);
	assert_string_equal(err.text, "the disk is away");
	entry_done(&e);
}

static void test_members(void **state)
{
	(void)state;
	static const char object[] = "{ \"a\":1.50, \"b\" : {\"c\":[1e1]},\"a\\\"b\":null}";
	struct entry e = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct json j = { .to = &text };
	const struct annotation label = { .attributes = slice_of(object) };
	const struct node *said = entry_label(&e, &label);
	json_open(&j, NULL, '{');
	members_write(&e.label_dom, said, &j);
	members_write_but(&e.label_dom, said, (const char *const[]){ "b", "a", NULL }, &j);
	members_write(&e.label_dom, NULL, &j);
	members_raw(SLICE_LIT("{}"), &j);
	members_raw(SLICE_LIT("{ }"), &j);
	members_raw(SLICE_LIT(""), &j);
	members_raw(SLICE_LIT("{ \"d\": 2}"), &j);
	json_str(&j, "e", SLICE_LIT("f"));
	json_close(&j, '}');
	assert_string_equal(text.data,
		"{\"a\":1.50,\"b\":{\"c\":[1e1]},\"a\\\"b\":null,\"a\\\"b\":null,\"d\": 2,\"e\":\"f\"}");
	assert_null(entry_label(&e, &(struct annotation){ 0 }));
	assert_null(entry_label(&e, &(struct annotation){ .attributes = SLICE_LIT("{") }));
	entry_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_row_says),
		cmocka_unit_test(test_ids_that_were_made),
		cmocka_unit_test(test_without_a_row_the_source_knows),
		cmocka_unit_test(test_what_a_source_says),
		cmocka_unit_test(test_a_row_that_is_none),
		cmocka_unit_test(test_the_characters_of_a_text),
		cmocka_unit_test(test_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
