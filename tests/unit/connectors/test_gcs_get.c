/* test_gcs_get.c - one object's bytes from a server that breaks off, lies, replaces and refuses. */
#include "tests/unit/connectors/gcs_fixture.h"

#include "connectors/connector.h"
#include "daemon/base/crc.h"
#include "daemon/base/text.h"

#include <inttypes.h>

#define BYTES 100000U

struct store_sink {
	struct sink sink;
	struct fixture *f;
	size_t room, fail_at;
};

static char object[BYTES];
static char hash[64]; /* "x-goog-hash: crc32c=...\r\n" */

static uint8_t *space(struct sink *s, size_t *ret_space, struct err *err)
{
	struct store_sink *store = (struct store_sink *)s;
	if (store->fail_at && store->f->got.len >= store->fail_at) {
		(void)err_set(err, ERR_RETRY, ENOSPC, "the store is full");
		return NULL;
	}
	*ret_space = store->room;
	return (uint8_t *)buf_grow(&store->f->got, store->room);
}

static int wrote(struct sink *s, size_t n, struct err *err)
{
	(void)err;
	((struct store_sink *)s)->f->got.len += n;
	return 0;
}

static bool send_part(struct peer *p, const char *status, const char *extra, size_t from, size_t to, size_t declared)
{
	char head[512];
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, extra, declared);
	return peer_say(p, head) && peer_write(p, object + from, to - from);
}

static bool answer(struct peer *p, const char *path)
{
	struct fixture *f = p->server->arg;
	unsigned int n = atomic_fetch_add(&f->asked, 1);
	const char *range = strstr(p->request, "Range: bytes=");
	size_t from = range ? strtoul(range + 13, NULL, 10) : 0;
	char extra[256], content_range[96];
	(void)path;
	(void)snprintf(content_range, sizeof(content_range), "Content-Range: bytes %zu-%u/%u\r\n", from, BYTES - 1, BYTES);
	(void)snprintf(extra, sizeof(extra), "%sx-goog-hash: md5=AAAA\r\nx-goog-generation: 7\r\n%s", hash, range ? content_range : "");
	if (strcmp(f->mode, "breaks") == 0 && n < 4) /* a quarter at a time */
		return send_part(p, range ? "206 Partial" : "200 OK", extra, from, from + BYTES / 5, BYTES - from) && false;
	if (strcmp(f->mode, "ignores range") == 0)
		return send_part(p, "200 OK", hash, 0, n == 0 ? BYTES / 3 : BYTES, BYTES) && n > 0;
	if (strcmp(f->mode, "replaced") == 0 && n > 0)
		return peer_answer(p, "404 Not Found", "", "No such object: photos/k");
	if (strcmp(f->mode, "replaced") == 0 || strcmp(f->mode, "stalls") == 0)
		return n == 0 ? send_part(p, "200 OK", extra, 0, 10, BYTES) && false : false;
	if (strcmp(f->mode, "gone") == 0)
		return peer_answer(p, "404 Not Found", "", "No such object: photos/k");
	if (strcmp(f->mode, "changed") == 0)
		return peer_answer(p, "412 Precondition Failed", "", "");
	if (strcmp(f->mode, "busy") == 0)
		return peer_answer(p, "429 Too Many", "Retry-After: 7\r\n", "");
	if (strcmp(f->mode, "trouble") == 0)
		return peer_answer(p, "502 Bad Gateway", "", "<html>");
	if (strcmp(f->mode, "other generation") == 0)
		return send_part(p, "200 OK", "x-goog-generation: 8\r\n", 0, BYTES, BYTES);
	if (strcmp(f->mode, "short") == 0)
		return send_part(p, "200 OK", hash, 0, BYTES - 1, BYTES - 1);
	if (strcmp(f->mode, "endless") == 0)
		return peer_say(p, "HTTP/1.0 200 OK\r\n\r\n") && peer_write(p, object, BYTES) && peer_say(p, "more") && false;
	if (strcmp(f->mode, "damaged") == 0)
		return send_part(p, "200 OK", "X-Goog-Hash: crc32c=AAAAAA==,md5=AAAA\r\n", 0, BYTES, BYTES);
	if (strcmp(f->mode, "other range") == 0)
		return n == 0 ? send_part(p, "200 OK", hash, 0, 10, BYTES) && false :
			send_part(p, "206 Partial", "Content-Range: bytes 9-99999/100000\r\n", 9, BYTES, BYTES - 9);
	if (strcmp(f->mode, "empty") == 0)
		return peer_answer(p, "200 OK", "x-goog-hash: crc32c=AAAAAA==\r\n", "");
	return send_part(p, "200 OK", extra, 0, BYTES, BYTES);
}

static int get_bytes(struct fixture *f, const char *mode, uint64_t bytes, size_t fail_at)
{
	struct store_sink store = { .sink = { &(const struct sink_ops){ space, wrote } }, .f = f, .room = 777, .fail_at = fail_at };
	struct object obj = { .key = SLICE_LIT("a/../k v"), .version = SLICE_LIT("7"), .bytes = bytes }, seen;
	f->mode = mode;
	f->got.len = 0;
	atomic_store(&f->asked, 0);
	if (gcs_get(f->api, &f->bucket, &obj, &store.sink, &seen, &f->err) < 0)
		return -1;
	assert_true(slice_eq(seen.key, obj.key));
	assert_true(slice_eq(seen.version, obj.version));
	assert_int_equal(seen.bytes, bytes);
	assert_int_equal(f->got.len, bytes);
	assert_memory_equal(f->got.len ? f->got.data : "", object, bytes);
	return 0;
}

static int get(struct fixture *f, const char *mode)
{
	return get_bytes(f, mode, BYTES, 0);
}

static void assert_fails(struct fixture *f, const char *mode, int sys, const char *why)
{
	assert_int_equal(get(f, mode), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, sys);
	assert_text(f, why);
	assert_text(f, "gs://photos/a/../k v");
}

static void test_the_generation_is_pinned_and_nothing_is_decoded(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get(f, ""), 0);
	assert_true(server_saw(&f->server, "GET /storage/v1/b/photos/o/a%2F..%2Fk%20v?alt=media&generation=7 "));
	assert_true(server_saw(&f->server, "\r\nAccept-Encoding: gzip\r\n"));
	assert_false(server_saw(&f->server, "Range:"));
	assert_int_equal(get_bytes(f, "empty", 0, 0), 0);
}

static void test_a_broken_transfer_goes_on_where_it_stopped(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get(f, "breaks"), 0);
	assert_int_equal(atomic_load(&f->asked), 5);
	assert_true(server_saw(&f->server, "Range: bytes=80000-\r\n"));
	assert_int_equal(get(f, "ignores range"), 0);
	assert_int_equal(atomic_load(&f->asked), 2);
}

static void test_what_cannot_go_on_ends(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get(f, "stalls"), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(atomic_load(&f->asked), 6);
	assert_fails(f, "other range", EPROTO, "another range");
}

static void test_replaced_and_gone_objects_are_told_apart_from_trouble(void **state)
{
	struct fixture *f = *state;
	assert_fails(f, "gone", ENOENT, "No such object");
	assert_int_equal(atomic_load(&f->asked), 1);
	assert_fails(f, "replaced", FETCH_CHANGED, "404");
	assert_fails(f, "changed", FETCH_CHANGED, "412");
	assert_fails(f, "other generation", FETCH_CHANGED, "generation 8");
}

static void test_without_a_version_the_first_answer_says_which(void **state)
{
	struct fixture *f = *state;
	struct store_sink store = { .sink = { &(const struct sink_ops){ space, wrote } }, .f = f, .room = 777 };
	struct object obj = { .key = SLICE_LIT("k") }, seen;
	f->mode = "breaks";
	assert_int_equal(gcs_get(f->api, &f->bucket, &obj, &store.sink, &seen, &f->err), 0);
	assert_true(slice_eq(seen.version, SLICE_LIT("7")));
	assert_int_equal(seen.bytes, BYTES);
	assert_int_equal(f->got.len, BYTES);
	assert_memory_equal(f->got.data, object, BYTES);
	assert_true(server_saw(&f->server, "/k?alt=media&generation=7 HTTP")); /* what it goes on with is pinned */
	f->mode = "endless";
	assert_int_equal(gcs_get(f->api, &f->bucket, &obj, &store.sink, &seen, &f->err), -1);
	assert_text(f, "does not say how long it is");
}

static void test_throttling_is_passed_on(void **state)
{
	struct fixture *f = *state;
	assert_fails(f, "busy", FETCH_THROTTLED, "429");
	assert_int_equal(f->err.wait_ms, 7000);
	assert_int_equal(atomic_load(&f->asked), 1);
}

/* With an errno, so that it is tried for as long as it takes: what has none gets a counted few tries. */
static void test_trouble_of_the_servers_own_is_waited_out(void **state)
{
	struct fixture *f = *state;
	assert_fails(f, "trouble", FETCH_TROUBLE, "502");
}

static void test_wrong_bytes_are_never_taken(void **state)
{
	struct fixture *f = *state;
	assert_fails(f, "damaged", EIO, "damaged on the way");
	assert_fails(f, "short", EIO, "99999 bytes, not the 100000");
	assert_fails(f, "endless", EIO, "more than the 100000 bytes");
	assert_in_range(f->got.len, 0, BYTES);
}

static void test_the_sink_has_the_last_word(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(get_bytes(f, "", BYTES, 5000), -1);
	assert_string_equal(f->err.text, "the store is full: No space left on device");
	assert_int_equal(f->err.sys, ENOSPC);
	assert_int_equal(atomic_load(&f->asked), 1);
}

static void make_object(void)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	uint32_t crc;
	for (size_t i = 0; i < BYTES; i++)
		object[i] = (char)(i * 2654435761U >> 13);
	crc = crc32c_add_portable(0, object, BYTES);
	text_base64(&text, (struct slice){ (const char[]){ (char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc }, 4 });
	(void)snprintf(hash, sizeof(hash), "x-goog-hash: crc32c=%s\r\n", text.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_generation_is_pinned_and_nothing_is_decoded),
		TEST(test_a_broken_transfer_goes_on_where_it_stopped),
		TEST(test_what_cannot_go_on_ends),
		TEST(test_replaced_and_gone_objects_are_told_apart_from_trouble),
		TEST(test_without_a_version_the_first_answer_says_which),
		TEST(test_throttling_is_passed_on),
		TEST(test_trouble_of_the_servers_own_is_waited_out),
		TEST(test_wrong_bytes_are_never_taken),
		TEST(test_the_sink_has_the_last_word),
	};
	make_object();
	FIXTURE_SCRIPT = answer;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
