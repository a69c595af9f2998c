/* test_gcs_list.c - listings as Cloud Storage sends them, and as it never should. */
#include "tests/unit/connectors/gcs_fixture.h"

#define ITEM(name) "{\"name\":\"" name "\",\"generation\":\"7\",\"size\":\"3\"}"

static bool answer(struct peer *p, const char *path)
{
	struct fixture *f = p->server->arg;
	unsigned int n = atomic_fetch_add(&f->asked, 1);
	if (strcmp(f->mode, "storm") == 0 && n == 1)
		return peer_answer(p, "503 Slow", "", "");
	if (strcmp(f->mode, "denied") == 0)
		return peer_answer(p, "403 Forbidden", "", "{\"error\":{\"code\":403,\"message\":\"no storage.objects.list access\"}}");
	if (strcmp(f->mode, "payer") == 0)
		return peer_answer(p, "400 Bad Request", "", "{\"error\":{\"message\":\"Bucket is a requester pays bucket but no user project "
			"provided.\"}}");
	if (strcmp(f->mode, "loop") == 0)
		return peer_answer(p, "200 OK", "", n == 0 ? "{\"items\":[" ITEM("a") "],\"nextPageToken\":\"T\"}" : "{\"nextPageToken\":\"T\"}");
	if (strcmp(f->mode, "cut") == 0 && n > 0)
		return peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\":[") && false;
	if (strcmp(f->mode, "late") == 0) /* nothing but tokens for three pages */
		return peer_answer(p, "200 OK", "", n < 3 ? "{\"nextPageToken\":\"x\"}" : "{\"items\":[" ITEM("q/1") "]}");
	if (strcmp(f->mode, "nothing") == 0)
		return peer_answer(p, "200 OK", "", "{}");
	if (!strstr(path, "pageToken="))
		return peer_answer(p, "200 OK", "", "{\"items\":[" ITEM("a") "," ITEM("b/") "],\"nextPageToken\":\"to/ken=+1\"}");
	if (strstr(path, "pageToken=to%2Fken%3D%2B1"))
		return peer_answer(p, "200 OK", "", "{\"nextPageToken\":\"2\"}"); /* empty and not the last: legal */
	return peer_answer(p, "200 OK", "", "{\"items\":[" ITEM("b//c") "]}");
}

static int collect(void *arg, const struct page *page, struct err *err)
{
	struct fixture *f = arg;
	(void)err;
	for (size_t i = 0; i < page->count; i++)
		buf_printf(&f->got, "%.*s ", (int)page->entries[i].name.len, page->entries[i].name.p);
	buf_str(&f->got, page->open_ended ? "." : "| ");
	return 0;
}

static int list(struct fixture *f)
{
	f->got.len = 0;
	atomic_store(&f->asked, 0);
	return gcs_scan(f->api, &f->bucket, 1, collect, f, &f->err);
}

static void test_pages_follow_their_tokens(void **state)
{
	struct fixture *f = *state;
	static char project[] = "who/pays";
	f->config.user_project = project;
	assert_int_equal(list(f), 0);
	assert_string_equal(f->got.data, "a b/ | b//c .");
	assert_int_equal(atomic_load(&f->asked), 3);
	assert_true(server_saw(&f->server, "GET /storage/v1/b/photos/o?userProject=who%2Fpays&maxResults=1000&fields="));
	assert_false(server_saw(&f->server, "Authorization"));
}

static void test_a_lost_page_is_asked_for_again(void **state)
{
	struct fixture *f = *state;
	f->mode = "storm";
	assert_int_equal(list(f), 0);
	assert_string_equal(f->got.data, "a b/ | b//c .");
	assert_int_equal(atomic_load(&f->asked), 4);
}

static void test_a_cut_page_is_never_handed_on(void **state)
{
	struct fixture *f = *state;
	f->mode = "cut";
	assert_int_equal(list(f), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_string_equal(f->got.data, "a b/ | ");
	assert_int_equal(atomic_load(&f->asked), 7);
}

static void test_a_listing_that_does_not_get_on_ends(void **state)
{
	struct fixture *f = *state;
	f->mode = "loop";
	assert_int_equal(list(f), -1);
	assert_text(f, "does not get on");
}

static void test_refusals_say_what_to_do(void **state)
{
	struct fixture *f = *state;
	f->mode = "denied";
	assert_int_equal(list(f), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, EACCES);
	assert_text(f, "asked without credentials (anonymous: true)");
	assert_text(f, "no storage.objects.list access");
	assert_int_equal(atomic_load(&f->asked), 1);
	f->mode = "payer";
	assert_int_equal(list(f), -1);
	assert_text(f, "set gcs.user_project");
}

static int parse(struct fixture *f, struct slice body, const char *known)
{
	CLEANUP(buf_done) struct buf token = { 0 };
	struct bucket_page page;
	bucket_page_init(&page, &f->bucket, slice_of(known));
	int result = gcs_list_parse(body, slice_of(known), &page, &token, &f->err);
	f->got.len = 0;
	if (result == 0) {
		buf_u64(&f->got, page.listed);
		buf_str(&f->got, " ");
		buf_add(&f->got, page.last.data, page.last.len);
		buf_str(&f->got, " ");
		buf_add(&f->got, token.data, token.len);
	}
	bucket_page_done(&page);
	return result;
}

static void test_any_key_survives_whole(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_done) struct buf body = { 0 };
	assert_int_equal(parse(f, SLICE_LIT("{}"), ""), 0);
	assert_string_equal(f->got.data, "0  ");
	assert_int_equal(parse(f, SLICE_LIT("{\"items\":[" ITEM("\\u0001\\t\\\"\\\\/..//") "],\"nextPageToken\":\"x\"}"), ""), 0);
	assert_string_equal(f->got.data, "1 \x01\t\"\\/..// x");
	assert_int_equal(parse(f, SLICE_LIT("{\"items\":[" ITEM("a\\u0000b") "]}"), ""), 0);
	assert_memory_equal(f->got.data, "1 a\0b ", 6);
	assert_int_equal(parse(f, SLICE_LIT("{\"items\":[" ITEM("\\ud83d\\ude00") "]}"), ""), 0);
	assert_string_equal(f->got.data, "1 \xf0\x9f\x98\x80 ");
	buf_str(&body, "{\"items\":[{\"size\":\"18446744073709551615\",\"generation\":\"1\",\"name\":\"");
	for (int i = 0; i < 1024; i++)
		buf_char(&body, 'k');
	buf_str(&body, "\"}]}");
	assert_int_equal(parse(f, buf_slice(&body), ""), 0);
	assert_int_equal(f->got.len, 2 + 1024 + 1);
}

static void test_a_known_key_may_stand_first(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(parse(f, SLICE_LIT("{\"items\":[" ITEM("k") "," ITEM("l") "]}"), "k"), 0);
	assert_string_equal(f->got.data, "1 l ");
	assert_int_equal(parse(f, SLICE_LIT("{\"items\":[" ITEM("l") "," ITEM("k") "]}"), "k"), -1);
}

static void test_what_is_no_listing_is_not_believed(void **state)
{
	struct fixture *f = *state;
	static const char *const bodies[] = { "", "<html>", "[]", "{\"items\":{}}", "{\"items\":[", "{\"error\":{}}", "{\"nextPageToken\":1}",
		"{\"items\":[" ITEM("b") "," ITEM("a") "]}", "{\"items\":[" ITEM("a") "," ITEM("a") "]}", "{\"items\":[" ITEM("") "]}",
		"{\"items\":[{\"name\":\"a\",\"size\":\"1\"}]}", "{\"items\":[{\"name\":\"a\",\"generation\":\"x\",\"size\":\"1\"}]}",
		"{\"items\":[{\"name\":\"a\",\"generation\":\"1\",\"size\":\"-1\"}]}", "{\"items\":[null]}", "{\"items\":[" ITEM("\xff") "]}",
		"{\"items\":[],\"items\":[]}" };
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		if (parse(f, slice_of(bodies[i]), "") == 0)
			fail_msg("believed: %s", bodies[i]);
		assert_int_equal(f->err.class, ERR_RETRY);
	}
}

static void test_the_first_key_may_come_late(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_done) struct buf key = { 0 }, version = { 0 };
	uint64_t bytes = 0;
	f->mode = "late";
	assert_int_equal(gcs_list_first(f->api, &f->bucket, SLICE_LIT("q"), &key, &version, &bytes, &f->err), 0);
	assert_string_equal(key.data, "q/1");
	assert_string_equal(version.data, "7");
	assert_int_equal(bytes, 3);
	assert_int_equal(atomic_load(&f->asked), 4);
	assert_true(server_saw(&f->server, "maxResults=1&"));
	assert_int_equal(atomic_load(&f->bucket.listed), 0);
	f->mode = "nothing";
	assert_int_equal(gcs_list_first(f->api, &f->bucket, SLICE_LIT(""), &key, &version, &bytes, &f->err), 0);
	assert_int_equal(key.len, 0);
}

static void test_an_emulator_is_asked_without_credentials(void **state)
{
	struct fixture *f = *state;
	f->config.at.endpoint = NULL;
	f->config.anonymous = false;
	(void)setenv("STORAGE_EMULATOR_HOST", f->endpoint + strlen("http://"), 1);
	fixture_open(f);
	assert_true(gcs_api_emulated(f->api));
	assert_null(gcs_api_auth(f->api));
	assert_int_equal(list(f), 0);
	(void)setenv("STORAGE_EMULATOR_HOST", "ftp://x", 1);
	gcs_api_free(f->api);
	f->api = NULL;
	assert_int_equal(gcs_api_new(&f->config, &f->bucket.stopping, &f->api, &f->err), -1);
	assert_text(f, "STORAGE_EMULATOR_HOST");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages_follow_their_tokens),
		TEST(test_a_lost_page_is_asked_for_again),
		TEST(test_a_cut_page_is_never_handed_on),
		TEST(test_a_listing_that_does_not_get_on_ends),
		TEST(test_refusals_say_what_to_do),
		TEST(test_any_key_survives_whole),
		TEST(test_a_known_key_may_stand_first),
		TEST(test_what_is_no_listing_is_not_believed),
		TEST(test_the_first_key_may_come_late),
		TEST(test_an_emulator_is_asked_without_credentials),
	};
	FIXTURE_SCRIPT = answer;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
