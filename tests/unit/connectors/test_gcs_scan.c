/* test_gcs_scan.c - a bucket listed by many threads: each key once, the pages' ranges side by side from the first key to the last. */
#include "tests/unit/connectors/gcs_fixture.h"

#include "daemon/base/text.h"

#include <ctype.h>
#include <stdlib.h>

#define KEYS 4000
#define PAGE 10 /* keys an answer: the server sends as few as it likes */

static char keys[KEYS][40];
static size_t key_count;

struct piece {
	char *after, *upto;
	bool open_ended;
};
static struct piece pieces[4 * KEYS];
static size_t piece_count, seen_count;
static bool seen[KEYS];
static pthread_t listers[16];
static size_t lister_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static size_t first_from(const char *key)
{
	size_t i = 0;
	while (i < key_count && strcmp(keys[i], key) < 0)
		i++;
	return i;
}

/* The value of a query parameter, decoded; "" when it is absent. */
static void parameter(const char *path, const char *name, char *to, size_t size)
{
	CLEANUP(freep) char *want = mem_printf("&%s=", name);
	const char *at = strstr(path, want);
	size_t n = 0;
	for (at = at ? at + strlen(want) : ""; *at && *at != '&' && n + 1 < size; at++) {
		unsigned int c = (unsigned char)*at;
		if (*at == '%' && sscanf(at + 1, "%2x", &c) == 1)
			at += 2;
		to[n++] = (char)c;
	}
	to[n] = '\0';
}

static bool answer(struct peer *p, const char *path)
{
	struct fixture *f = p->server->arg;
	CLEANUP(buf_done) struct buf body = { 0 };
	char start[64], end[64], token[64];
	unsigned int n = atomic_fetch_add(&f->asked, 1);
	parameter(path, "startOffset", start, sizeof(start));
	parameter(path, "endOffset", end, sizeof(end));
	parameter(path, "pageToken", token, sizeof(token));
	if (strcmp(f->mode, "fails") == 0 && n > 100)
		return peer_answer(p, "403 Forbidden", "", "");
	if (strcmp(f->mode, "no endOffset") == 0)
		end[0] = '\0';
	if (!text_is_utf8(slice_of(start)) || !text_is_utf8(slice_of(end)))
		return peer_answer(p, "400 Bad Request", "", "");
	size_t from = first_from(token[0] ? token : start), stop = end[0] ? first_from(end) : key_count, i;
	buf_str(&body, "{\"items\":[");
	for (i = from; i < stop && i < from + PAGE; i++)
		buf_printf(&body, "%s{\"name\":\"%s\",\"generation\":\"1\",\"size\":\"1\"}", i > from ? "," : "", keys[i]);
	buf_str(&body, "]");
	if (i < stop)
		buf_printf(&body, ",\"nextPageToken\":\"%s\"", keys[i]);
	buf_str(&body, "}");
	return peer_answer(p, "200 OK", "", body.data);
}

static int collect(void *arg, const struct page *page, struct err *err)
{
	size_t known = 0;
	(void)arg;
	(void)err;
	pthread_mutex_lock(&lock);
	while (known < lister_count && !pthread_equal(listers[known], pthread_self()))
		known++;
	if (known == lister_count)
		listers[lister_count++] = pthread_self();
	pieces[piece_count++] = (struct piece){ mem_strndup(page->after.p, page->after.len), mem_strndup(page->upto.p, page->upto.len),
		page->open_ended };
	for (size_t i = 0; i < page->count; i++) {
		CLEANUP(freep) char *key = mem_strndup(page->entries[i].name.p, page->entries[i].name.len);
		size_t at = first_from(key);
		assert_true(at < key_count && strcmp(keys[at], key) == 0 && !seen[at]);
		assert_true(slice_cmp(page->entries[i].name, page->after) > 0 && slice_cmp(page->entries[i].name, page->upto) <= 0);
		seen[at] = true;
		seen_count++;
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

static int by_after(const void *a, const void *b)
{
	return strcmp(((const struct piece *)a)->after, ((const struct piece *)b)->after);
}

static void forget(void)
{
	for (size_t i = 0; i < piece_count; i++) {
		free(pieces[i].after);
		free(pieces[i].upto);
	}
	piece_count = seen_count = lister_count = 0;
	memset(seen, 0, sizeof(seen));
}

/* What absence is concluded from: no gap, no overlap, an end. */
static void assert_tiled(void)
{
	qsort(pieces, piece_count, sizeof(*pieces), by_after);
	assert_string_equal(pieces[0].after, "");
	for (size_t i = 0; i + 1 < piece_count; i++) {
		assert_string_equal(pieces[i].upto, pieces[i + 1].after);
		assert_false(pieces[i].open_ended);
	}
	assert_true(pieces[piece_count - 1].open_ended);
	assert_int_equal(seen_count, key_count);
}

typedef void key_fn(size_t i, char *to, size_t size);

static void make_keys(key_fn *make)
{
	key_count = KEYS;
	for (size_t i = 0; i < KEYS; i++)
		make(i, keys[i], sizeof(keys[i]));
	qsort(keys, KEYS, sizeof(*keys), compare);
	key_count = 1;
	for (size_t i = 1; i < KEYS; i++) {
		if (strcmp(keys[i], keys[key_count - 1]) != 0)
			memmove(keys[key_count++], keys[i], sizeof(*keys));
	}
}

static void numbered(size_t i, char *to, size_t size)
{
	(void)snprintf(to, size, "train/n01440764/img_%07zu.jpg", i);
}

static void hashed(size_t i, char *to, size_t size)
{
	(void)snprintf(to, size, "%016llx", (unsigned long long)i * 0x9e3779b97f4a7c15ULL);
}

/* Every short text over a few letters: cuts are keys, too. */
static void dense(size_t i, char *to, size_t size)
{
	size_t n = 0;
	for (i++; i > 0 && n + 1 < size; i = (i - 1) / 5)
		to[n++] = "ab/z0"[(i - 1) % 5];
	to[n] = '\0';
}

static void foreign(size_t i, char *to, size_t size)
{
	static const char *const letters[] = { "\xc3\xa9", "\xe2\x82\xac", "a", "\xf0\x9f\x98\x80" };
	(void)snprintf(to, size, "%s%s/%zu%s", letters[i % 4], letters[i / 4 % 4], i, letters[i / 16 % 4]);
}

/* Most keys share 25 bytes; a few lie far away. */
static void lopsided(size_t i, char *to, size_t size)
{
	if (i % 1000 == 0)
		(void)snprintf(to, size, "%c", "Az~!"[i / 1000]);
	else
		(void)snprintf(to, size, "very/deep/and/narrow/tree/%05zu", i);
}

static void test_each_key_once_whatever_keys_look_like(void **state)
{
	static key_fn *const shapes[] = { numbered, hashed, dense, foreign, lopsided };
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		make_keys(shapes[i]);
		atomic_store(&f->asked, 0);
		if (gcs_scan(f->api, &f->bucket, GCS_SCAN_THREADS, collect, f, &f->err) < 0)
			fail_msg("%s", f->err.text);
		assert_tiled();
		assert_true(lister_count > 1);
		assert_in_range(atomic_load(&f->asked), key_count / PAGE, 2 * key_count / PAGE);
		forget();
	}
}

static void test_small_buckets_cost_their_pages_and_no_more(void **state)
{
	struct fixture *f = *state;
	make_keys(numbered);
	key_count = 8 * PAGE;
	assert_int_equal(gcs_scan(f->api, &f->bucket, GCS_SCAN_THREADS, collect, f, &f->err), 0);
	assert_tiled();
	assert_int_equal(atomic_load(&f->asked), 8);
	assert_int_equal(lister_count, 1);
	forget();
	key_count = 0;
	assert_int_equal(gcs_scan(f->api, &f->bucket, GCS_SCAN_THREADS, collect, f, &f->err), 0);
	assert_tiled();
	forget();
}

static void test_one_thread_asks_by_tokens_alone(void **state)
{
	struct fixture *f = *state;
	make_keys(hashed);
	assert_int_equal(gcs_scan(f->api, &f->bucket, 1, collect, f, &f->err), 0);
	assert_tiled();
	assert_int_equal(atomic_load(&f->asked), KEYS / PAGE);
	forget();
}

static void test_the_first_failure_ends_all(void **state)
{
	struct fixture *f = *state;
	make_keys(hashed);
	f->mode = "fails";
	assert_int_equal(gcs_scan(f->api, &f->bucket, GCS_SCAN_THREADS, collect, f, &f->err), -1);
	assert_int_equal(f->err.sys, EACCES);
	assert_in_range(atomic_load(&f->asked), 101, 101 + GCS_SCAN_THREADS);
	forget();
}

static void test_a_server_without_ranges_is_found_out(void **state)
{
	struct fixture *f = *state;
	make_keys(hashed);
	f->mode = "no endOffset";
	assert_int_equal(gcs_scan(f->api, &f->bucket, GCS_SCAN_THREADS, collect, f, &f->err), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_int_equal(f->err.sys, ENOTSUP);
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_key_once_whatever_keys_look_like),
		TEST(test_small_buckets_cost_their_pages_and_no_more),
		TEST(test_one_thread_asks_by_tokens_alone),
		TEST(test_the_first_failure_ends_all),
		TEST(test_a_server_without_ranges_is_found_out),
	};
	FIXTURE_SCRIPT = answer;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
