/* gcs_list.c - asks for pages of a bucket's listing and reads them. */
#include "connectors/gcs_list.h"

#include "connectors/google_credentials.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#include <stdio.h>

#define PAGE_KEYS 1000U /* the server's most */
#define ANSWER_MAX (8U << 20) /* 1,000 keys of 1,024 bytes, each of them escaped */
#define ATTEMPTS 6U
#define FIRST_PAGES_MAX 100U  /* empty ones, before a bucket counts as empty where one key was asked for */

static struct slice text_of(const json_t *item, const char *name)
{
	const json_t *member = json_object_get(item, name);
	return (struct slice){ json_string_value(member), json_string_length(member) };
}

static int read_item(const json_t *item, struct slice known, struct bucket_page *to, struct err *err)
{
	struct slice key = text_of(item, "name"), generation = text_of(item, "generation");
	uint64_t bytes, number;
	char name[200];
	if (known.len > 0 && slice_eq(key, known))
		return 0;
	if (text_u64(text_of(item, "size"), &bytes) < 0 || text_u64(generation, &number) < 0) {
		bucket_describe(to->bucket, key, name, sizeof(name));
		return err_set(err, ERR_RETRY, 0, "the listing cannot be trusted: %s has no size or no generation", name);
	}
	return bucket_page_add(to, key, generation, bytes, ENTRY_FILE, err);
}

static int read_listing(const json_t *root, struct slice known, struct bucket_page *to, struct buf *ret_token, struct err *err)
{
	const json_t *items = json_object_get(root, "items"), *token = json_object_get(root, "nextPageToken");
	size_t i;
	json_t *item;
	if (!json_is_object(root) || (items && !json_is_array(items)) || (token && !json_is_string(token)) ||
		json_object_get(root, "error"))
		return err_set(err, ERR_RETRY, 0, "the server answered something that is no listing; is the endpoint right?");
	json_array_foreach (items, i, item) {
		if (read_item(item, i == 0 ? known : SLICE_LIT(""), to, err) < 0)
			return -1;
	}
	buf_add(ret_token, json_string_value(token), json_string_length(token));
	return 0;
}

int gcs_list_parse(struct slice body, struct slice known, struct bucket_page *to, struct buf *ret_token, struct err *err)
{
	/* A key may hold U+0000: no reader of ours stops there. */
	json_t *root = json_loadb(body.p ? body.p : "", body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	ret_token->len = 0;
	int result = read_listing(root, known, to, ret_token, err);
	json_decref(root);
	return result;
}

static void make_url(const struct gcs_api *api, const struct gcs_question *q, struct buf *url)
{
	char max[16];
	(void)snprintf(max, sizeof(max), "%u", q->max ? q->max : PAGE_KEYS);
	gcs_url_list(api, url);
	gcs_query(url, "maxResults", slice_of(max));
	gcs_query(url, "fields", SLICE_LIT("items(name,generation,size),nextPageToken"));
	if (q->prefix.len > 0)
		gcs_query(url, "prefix", q->prefix);
	if (q->start.len > 0)
		gcs_query(url, "startOffset", q->start);
	if (q->end.len > 0)
		gcs_query(url, "endOffset", q->end);
	if (q->token.len > 0)
		gcs_query(url, "pageToken", q->token);
}

static int ask_once(struct gcs_api *api, const char *url, struct slice known, struct bucket_page *to, struct buf *ret_token,
	struct err *err)
{
	struct http_request request = { .url = url, .limit = ANSWER_MAX };
	struct http_reply reply = { 0 };
	int result = gcs_api_get(api, &request, &reply, err);
	if (result == 0)
		result = gcs_list_parse(buf_slice(&reply.body), known, to, ret_token, err);
	http_reply_done(&reply);
	return result;
}

int gcs_list_page(struct gcs_api *api, const struct gcs_question *q, struct bucket_page *to, struct buf *ret_token,
	struct err *err)
{
	CLEANUP(buf_done) struct buf url = { 0 };
	/* startOffset is inclusive: a question that goes on after a key brings that key again. */
	struct slice known = slice_eq(q->start, buf_slice(&to->after)) ? q->start : SLICE_LIT("");
	uint32_t attempts = to->after.len > 0 || q->start.len > 0 || q->token.len > 0 ? ATTEMPTS : 1;
	make_url(api, q, &url);
	for (uint32_t attempt = 0;; attempt++) {
		if (ask_once(api, url.data, known, to, ret_token, err) == 0)
			return 0;
		bucket_page_reset(to);
		if (err->class != ERR_RETRY || err->sys == ENOENT || err->sys == EACCES || attempt + 1 == attempts ||
			!gcs_pause(api, attempt, err))
			return -1;
	}
}

struct first {
	struct buf *key, *version;
	uint64_t *bytes;
};

static int take_first(void *arg, const struct page *page, struct err *err)
{
	const struct first *f = arg;
	(void)err;
	if (page->count > 0) {
		buf_add(f->key, page->entries[0].name.p, page->entries[0].name.len);
		buf_add(f->version, page->entries[0].version.p, page->entries[0].version.len);
		*f->bytes = page->entries[0].bytes;
	}
	return 0;
}

/* An empty page with a token is legal here, too. */
static int ask_first(struct gcs_api *api, struct slice prefix, struct bucket_page *page, struct first *first, struct err *err)
{
	CLEANUP(buf_done) struct buf token = { 0 }, next = { 0 };
	struct gcs_question q = { .prefix = prefix, .max = 1 };
	for (uint32_t pages = 0; first->key->len == 0 && pages < FIRST_PAGES_MAX; pages++) {
		q.token = buf_slice(&token);
		if (gcs_list_page(api, &q, page, &next, err) < 0 ||
			bucket_page_emit(page, buf_slice(&page->last), next.len == 0, take_first, first, err) < 0)
			return -1;
		if (next.len == 0)
			return 0;
		token.len = 0;
		buf_add(&token, next.data, next.len);
	}
	return 0;
}

int gcs_list_first(struct gcs_api *api, struct bucket *b, struct slice prefix, struct buf *ret_key, struct buf *ret_version,
	uint64_t *ret_bytes, struct err *err)
{
	/* A bucket of its own: without filters, and nothing is counted in the source's. */
	struct bucket_config config = { .bucket = b->config->bucket };
	struct first first = { ret_key, ret_version, ret_bytes };
	struct bucket bare;
	struct bucket_page page;
	ret_key->len = ret_version->len = 0;
	bucket_init(&bare, b->scheme, &config);
	bucket_page_init(&page, &bare, SLICE_LIT(""));
	int result = ask_first(api, prefix, &page, &first, err);
	bucket_page_done(&page);
	bucket_done(&bare);
	return result;
}
