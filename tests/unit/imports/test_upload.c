/* test_upload.c - frames of an upload into a real store: what is asked for, what is refused, what is durable, and what breaks a pass. */
#include "daemon/imports/import.h"

#include "daemon/flow/account.h"
#include "daemon/flow/feed.h"
#include "daemon/imports/imports.h"
#include "daemon/imports/pass.h"
#include "tests/unit/store/fixture.h"

#include <jansson.h>

static int activate(void *pipeline, struct err *err)
{
	(void)pipeline;
	(void)err;
	return 0;
}

struct dataset {
	struct fixture *f;
	struct config config;
	struct account *account;
	struct feeds *feeds;
	struct imports *imports;
	uint64_t pass, import;
	struct err err;
};

static int setup(void **state)
{
	static const struct import_ops ops = { .activate = activate };
	struct dataset *d = mem_zero(1, sizeof(*d));
	(void)fixture_setup((void **)&d->f);
	d->config.limits.object_bytes = 16U << 20;
	assert_int_equal(account_open(&d->account, &d->err), 0);
	d->feeds = feeds_new(d->f->store, d->account);
	d->imports = imports_new(&(struct import_needs){ &d->config, d->f->store, d->account, d->feeds, &ops, NULL });
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct dataset *d = *state;
	account_await_none(d->account);
	imports_close(d->imports);
	feeds_free(d->feeds);
	account_close(d->account);
	(void)fixture_teardown((void **)&d->f);
	free(d);
	return 0;
}

static void begin(struct dataset *d, const char *name)
{
	const struct import_begin b = { .name = slice_of(name), .file = SLICE_LIT("/data/M.csv"), .format = SLICE_LIT("csv"),
		.header = SLICE_LIT("id,text\n") };
	if (import_begin(d->imports, &b, &d->pass, &d->import, NULL, &d->err) < 0)
		fail_msg("%s", d->err.text);
}

/* Sends an upload in pieces of so many bytes; its answer, the caller's; NULL: refused, d->err says why. */
static json_t *send_pieces(struct dataset *d, const char *text, size_t piece)
{
	struct import_upload *u = import_upload_new(d->imports, d->pass);
	CLEANUP(buf_done) struct buf answer = { 0 };
	struct json j = { .to = &answer };
	for (size_t at = 0, n = strlen(text); at < n; at += piece)
		import_take(u, (struct slice){ text + at, piece < n - at ? piece : n - at });
	json_open(&j, NULL, '{');
	if (import_finish(u, &j, &d->err) < 0)
		return NULL;
	json_close(&j, '}');
	return json_loadb(answer.data, answer.len, 0, NULL);
}

/* All answers of an upload and of what waits for all to be durable, as text: "frames 2 wanted [1] refused 0; durable 2 refused [...]". */
static void expect(struct dataset *d, const char *text, size_t piece, const char *expected)
{
	CLEANUP(buf_done) struct buf said = { 0 }, settled = { 0 };
	struct json j = { .to = &settled };
	CLEANUP(json_decrefp) json_t *answer = send_pieces(d, text, piece);
	if (!answer)
		fail_msg("%s", d->err.text);
	json_open(&j, NULL, '{');
	assert_int_equal(import_settle(d->imports, d->pass, &j, &d->err), 0);
	json_close(&j, '}');
	CLEANUP(json_decrefp) json_t *all = json_loadb(settled.data, settled.len, 0, NULL);
	CLEANUP(freep) char *wanted = json_dumps(json_object_get(answer, "wanted"), JSON_COMPACT);
	json_array_extend(json_object_get(answer, "refused"), json_object_get(all, "refused"));
	CLEANUP(freep) char *refused = json_dumps(json_object_get(answer, "refused"), JSON_COMPACT);
	buf_printf(&said, "frames %lld known %lld wanted %s durable %lld refused %s", json_integer_value(json_object_get(answer, "frames")),
		json_integer_value(json_object_get(answer, "known")), wanted, json_integer_value(json_object_get(all, "durable")), refused);
	assert_string_equal(said.data, expected);
}

static void expect_refused(struct dataset *d, const char *text, const char *why)
{
	CLEANUP(json_decrefp) json_t *answer = send_pieces(d, text, SIZE_MAX / 2);
	assert_null(answer);
	assert_int_equal(d->err.class, ERR_REJECT);
	if (!strstr(d->err.text, why))
		fail_msg("%s", d->err.text);
}

static uint64_t items(struct dataset *d)
{
	CLEANUP(view_closep) struct view *v = view_of(d->f);
	struct totals totals;
	assert_int_equal(view_totals(v, &totals, &d->err), 0);
	return totals.items;
}

static int to_fetch(struct dataset *d)
{
	CLEANUP(view_closep) struct view *v = view_of(d->f);
	struct work work[4];
	int n = view_work(v, STAGE_FETCH, MEDIA_UNKNOWN, INT64_MAX, NULL, work, 4, &d->err);
	assert_true(n >= 0);
	return n;
}

static struct import_counts end(struct dataset *d, uint64_t rows, uint64_t failed)
{
	struct import_counts counts;
	const struct import_close close = { .rows = rows, .failed = failed };
	if (import_end(d->imports, d->pass, &close, &counts, &d->err) < 0)
		fail_msg("%s", d->err.text);
	return counts;
}

#define ROW(line, key, bytes, text) "{\"line\":" #line ",\"key\":\"" key "\",\"bytes\":" #bytes ",\"payload\":true,\"body\":{\"at\":\"text\"}}\n" text
#define OFFER(line, key, version, bytes) "{\"line\":" #line ",\"key\":\"" key "\",\"version\":\"" version "\",\"bytes\":" #bytes \
	",\"body\":{\"at\":\"path\",\"where\":\"" key ".txt\"}}\n"
#define FILE_SENT(line, key, version, bytes, text) "{\"line\":" #line ",\"key\":\"" key "\",\"version\":\"" version "\",\"bytes\":" #bytes \
	",\"payload\":true,\"body\":{\"at\":\"path\",\"where\":\"" key ".txt\"}}\n" text
#define FAILED(line, reason) "{\"line\":" #line ",\"failed\":{\"column\":1,\"offset\":9,\"raw\":\"x\"},\"reason\":\"" reason "\"}\n"

static void test_rows_come_in_whatever_the_pieces(void **state)
{
	struct dataset *d = *state;
	static const char rows[] = ROW(2, "a", 3, "one") ROW(3, "b", 0, "") FAILED(4, "bad") ROW(5, "c", 3, "one");
	static const size_t pieces[] = { 1, 7, 100000 };
	for (size_t i = 0; i < 3; i++) {
		begin(d, "list");
		expect(d, rows, pieces[i], "frames 4 known 0 wanted [] durable 4 refused []");
		struct import_counts counts = end(d, 4, 1);
		assert_int_equal(counts.written, i == 0 ? 3 : 0);
		assert_int_equal(items(d), 2); /* two of one content */
	}
	CLEANUP(view_closep) struct view *v = view_of(d->f);
	struct failure failure;
	assert_int_equal(view_failure_next(v, SUBJECT_ROW, 0, &failure, &d->err), 1);
	assert_true(failure.line == 4 && slice_eq(failure.reason, SLICE_LIT("bad")));
}

static void test_a_file_is_asked_for_once(void **state)
{
	struct dataset *d = *state;
	begin(d, "list");
	expect(d, OFFER(2, "a", "v1", 3) OFFER(3, "b", "v1", 3), 10, "frames 2 known 0 wanted [0,1] durable 2 refused []");
	expect(d, FILE_SENT(2, "a", "v1", 3, "one"), 10, "frames 1 known 0 wanted [] durable 3 refused []");
	expect(d, OFFER(2, "a", "v1", 3) OFFER(3, "b", "v1", 3), 10, "frames 2 known 0 wanted [4] durable 5 refused []");
	(void)end(d, 2, 0);
	begin(d, "list");
	/* Sent without being offered: passed over where it is known, and kept where it is another version. */
	expect(d, FILE_SENT(2, "a", "v1", 3, "one") ROW(9, "t", 4, "text"), 5, "frames 2 known 1 wanted [] durable 2 refused []");
	assert_int_equal(items(d), 2);
	expect(d, FILE_SENT(2, "a", "v2", 3, "two"), 5, "frames 1 known 0 wanted [] durable 3 refused []");
	assert_int_equal(items(d), 3);
}

static void test_rows_that_contradict_each_other_are_told(void **state)
{
	struct dataset *d = *state;
	begin(d, "list");
	expect(d, ROW(2, "a", 3, "one") ROW(3, "a", 3, "two") ROW(4, "a", 3, "one"), 11, "frames 3 known 0 wanted [] durable 3 refused "
		"[{\"frame\":1,\"reason\":\"line 2 gives the id 'a' to the text 'one', this row gives it to another text, 'two'\","
		"\"cure\":\"give each row an id of its own\"}]");
	assert_int_equal(items(d), 1);
	expect(d, OFFER(5, "a", "v1", 3), 11, "frames 1 known 0 wanted [] durable 4 refused "
		"[{\"frame\":3,\"reason\":\"line 2 gives the id 'a' to the text 'one', this row gives it to the file 'a.txt'\","
		"\"cure\":\"give each row an id of its own\"}]");
}

static void test_a_row_whose_bytes_are_elsewhere_waits_for_them(void **state)
{
	struct dataset *d = *state;
	begin(d, "list");
	expect(d, "{\"line\":2,\"key\":\"u\",\"body\":{\"at\":\"url\",\"where\":\"https://h/a\"},\"origin\":{\"column\":1,\"offset\":9,"
		"\"raw\":\"u\",\"url\":\"https://h/a\"}}\n" FILE_SENT(3, "f", "v1", 3, "one"), 9, "frames 2 known 0 wanted [] durable 2 refused []");
	assert_int_equal(to_fetch(d), 1);
	/* Of one that is there only where its bytes are said to be stale. */
#define LATER(more) "{\"line\":3,\"key\":\"f\",\"body\":{\"at\":\"path\",\"where\":\"f.txt\"},\"origin\":{\"column\":1,\"offset\":20," \
	"\"raw\":\"f\",\"url\":\"f.txt\"}" more "}\n"
	expect(d, LATER(""), 9, "frames 1 known 0 wanted [] durable 3 refused []");
	assert_int_equal(to_fetch(d), 1);
	expect(d, LATER(",\"stale\":true"), 9, "frames 1 known 0 wanted [] durable 4 refused []");
	assert_int_equal(to_fetch(d), 2);
}

#define URL(line, url, label) "{\"line\":" #line ",\"key\":\"p\",\"body\":{\"at\":\"url\",\"where\":\"" url "\",\"labels\":[{\"concept\":\"" label "\"}]}," \
	"\"origin\":{\"column\":1,\"offset\":9,\"raw\":\"p\",\"url\":\"" url "\"}}\n"
#define TOLD(line) "{\"line\":" #line ",\"mended\":true}\n"

static void mend(struct dataset *d)
{
	CLEANUP(buf_done) struct buf said = { 0 };
	struct json j = { .to = &said };
	json_open(&j, NULL, '{');
	if (import_mend(d->imports, SLICE_LIT("1"), &j, &d->err) < 0)
		fail_msg("%s", d->err.text);
	json_close(&j, '}');
	CLEANUP(json_decrefp) json_t *answer = json_loadb(said.data, said.len, 0, NULL);
	d->pass = (uint64_t)json_integer_value(json_object_get(answer, "pass"));
}

/* Two rows of one picture, whose URL was wrong: told in one now. */
static void test_mended_rows_take_the_places_of_those_that_are_told(void **state)
{
	struct dataset *d = *state;
	const struct import_row *rows;
	size_t n;
	begin(d, "list");
	expect(d, URL(2, "https://h/wrogn", "cat"), 50, "frames 1 known 0 wanted [] durable 1 refused []");
	expect(d, URL(6, "https://h/wrogn", "dog"), 50, "frames 1 known 0 wanted [] durable 2 refused []");
	(void)end(d, 6, 0);
	mend(d);
	/* The other one stands as long as it is not told, and says otherwise. */
	expect(d, TOLD(2) URL(2, "https://h/right", "cat"), 50, "frames 2 known 0 wanted [] durable 2 refused "
		"[{\"frame\":1,\"reason\":\"line 6 gives the id 'p' to 'https://h/wrogn', this row gives it to 'https://h/right'\","
		"\"cure\":\"give each row an id of its own\"}]");
	mend(d);
	expect(d, TOLD(2) TOLD(6) URL(2, "https://h/right", "hen"), 50, "frames 3 known 0 wanted [] durable 3 refused []");
	CLEANUP(view_closep) struct view *v = view_of(d->f);
	assert_int_equal(view_rows(v, 1, &rows, &n, &d->err), 0);
	assert_int_equal(n, 1);
	assert_non_null(memmem(rows[0].body.p, rows[0].body.len, "https://h/right", 15));
	assert_int_equal(to_fetch(d), 1);
	(void)end(d, 1, 0);
}

static void test_what_is_no_frame_ends_the_upload(void **state)
{
	struct dataset *d = *state;
	static const struct { const char *text, *why; } wrong[] = {
		{ "no json\n", "not JSON" },
		{ "{\"key\":\"a\",\"bytes\":0,\"payload\":true,\"body\":{\"at\":\"text\"}}\n", "'line' is out of range" },
		{ "{\"line\":2,\"bytes\":0,\"payload\":true,\"body\":{\"at\":\"text\"}}\n", "empty or too long" },
		{ "{\"line\":2,\"key\":\"a\"}\n", "but not both" },
		{ "{\"line\":2,\"mended\":true}\n", "in a pass that mends" },
		{ "{\"line\":2,\"key\":\"a\",\"bytes\":0,\"payload\":true,\"body\":{\"at\":\"moon\"}}\n", "unknown value" },
		{ "{\"line\":2,\"key\":\"a\",\"bytes\":99999999,\"payload\":true,\"body\":{\"at\":\"text\"}}\n", "limits.object" },
		{ ROW(2, "a", 9, "short"), "ends within a frame" },
		{ "{\"line\":2,\"key\":\"a\"", "ends within a frame" },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		begin(d, "list");
		expect_refused(d, wrong[i].text, wrong[i].why);
	}
	assert_int_equal(items(d), 0);
}

static void test_one_upload_at_a_time_and_one_pass_of_an_import(void **state)
{
	struct dataset *d = *state;
	begin(d, "list");
	struct import_upload *first = import_upload_new(d->imports, d->pass);
	expect_refused(d, ROW(2, "a", 3, "one"), "another upload of this pass is under way");
	import_drop(first);
	expect(d, ROW(2, "a", 3, "one"), 9, "frames 1 known 0 wanted [] durable 1 refused []");
	uint64_t before = d->pass;
	begin(d, "list"); /* which goes on with it */
	uint64_t now = d->pass;
	d->pass = before;
	expect_refused(d, ROW(2, "a", 3, "one"), "not under way any more");
	d->pass = now + 1;
	expect_refused(d, ROW(2, "a", 3, "one"), "not under way any more");
	d->pass = now;
	expect(d, ROW(2, "a", 3, "one"), 9, "frames 1 known 0 wanted [] durable 1 refused []");
	assert_int_equal(end(d, 1, 0).written, 0);
	expect_refused(d, ROW(2, "a", 3, "one"), "not under way any more");
}

static void test_a_large_file_is_one_of_its_own(void **state)
{
	struct dataset *d = *state;
	size_t bytes = ARENA_MEMBER_MAX + 1000;
	CLEANUP(buf_done) struct buf text = { 0 };
	buf_printf(&text, "{\"line\":2,\"key\":\"big\",\"version\":\"v1\",\"bytes\":%zu,\"payload\":true,\"body\":{\"at\":\"path\",\"where\":\"big\"}}\n",
		bytes);
	memset(buf_grow(&text, bytes + 1), 'x', bytes);
	text.len += bytes;
	buf_char(&text, '\0');
	begin(d, "list");
	expect(d, text.data, 65536, "frames 1 known 0 wanted [] durable 1 refused []");
	expect(d, text.data, 65536, "frames 1 known 1 wanted [] durable 2 refused []");
	struct store_usage usage;
	store_usage(d->f->store, &usage);
	assert_int_equal(usage.large, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows_come_in_whatever_the_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_is_asked_for_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_that_contradict_each_other_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_row_whose_bytes_are_elsewhere_waits_for_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mended_rows_take_the_places_of_those_that_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_frame_ends_the_upload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_upload_at_a_time_and_one_pass_of_an_import, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_large_file_is_one_of_its_own, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
