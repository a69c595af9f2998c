/* s3_list.c - takes from the page's elements what a listing needs. */
#include "connectors/s3_list.h"

#include "daemon/base/iso_time.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <stdlib.h>

static int refuse(const char *why, struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "the answer is no listing: %s", why);
}

static bool is_true(struct slice text)
{
	return slice_eq(text, SLICE_LIT("true"));
}

/* GLACIER_IR is read at once; INTELLIGENT_TIERING tells only when it is read. */
static bool is_cold(struct slice storage_class)
{
	return slice_eq(storage_class, SLICE_LIT("GLACIER")) || slice_eq(storage_class, SLICE_LIT("DEEP_ARCHIVE"));
}

static void entry_reset(struct s3_list *l)
{
	l->entry = (struct s3_listed){ .modified_s = -1 };
	l->has_key = l->has_bytes = l->cold = l->restoring = l->restored = false;
}

static int entry_end(struct s3_list *l, struct err *err)
{
	if (!l->has_key || !l->has_bytes)
		return refuse("an object without key or size", err);
	if (l->count == S3_LIST_KEYS_MAX)
		return refuse("too many keys in one page", err);
	if (l->count == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 1024;
		l->keys = mem_resize(l->keys, l->cap, sizeof(*l->keys));
	}
	l->entry.archived = l->cold && (l->restoring || !l->restored);
	l->keys[l->count++] = l->entry;
	entry_reset(l);
	return 0;
}

static int on_entry(struct s3_list *l, const char *name, struct slice text, struct err *err)
{
	struct s3_listed *e = &l->entry;
	if (strcmp(name, "Key") == 0) {
		e->key_at = l->text.len;
		e->key_len = text.len;
		buf_add(&l->text, text.p, text.len);
		l->has_key = true;
	} else if (strcmp(name, "ETag") == 0) {
		e->etag_at = l->text.len;
		e->etag_len = text.len;
		buf_add(&l->text, text.p, text.len);
	} else if (strcmp(name, "LastModified") == 0) {
		int64_t ms;
		e->modified_s = iso_time_parse(text, &ms) < 0 ? -1 : ms / 1000;
	} else if (strcmp(name, "Size") == 0) {
		l->has_bytes = true;
		if (text_u64(text, &e->bytes) < 0)
			return refuse("a size that is no number", err);
	} else if (strcmp(name, "StorageClass") == 0) {
		l->cold = is_cold(text);
	} else if (strcmp(name, "RestoreStatus/IsRestoreInProgress") == 0) {
		l->restoring = is_true(text);
	} else if (strcmp(name, "RestoreStatus/RestoreExpiryDate") == 0) {
		l->restored = true;
	}
	return 0;
}

static int on_end(void *arg, const char *path, struct slice text, struct err *err)
{
	static const struct slice root = SLICE_LIT("ListBucketResult"), entry = SLICE_LIT("ListBucketResult/Contents");
	struct s3_list *l = arg;
	if (strncmp(path, root.p, root.len) != 0)
		return refuse("another document", err);
	if (strncmp(path, entry.p, entry.len) == 0)
		return path[entry.len] ? on_entry(l, path + entry.len + 1, text, err) : entry_end(l, err);
	if (strcmp(path, root.p) == 0) {
		l->ended = true;
	} else if (strcmp(path + root.len, "/IsTruncated") == 0) {
		l->truncated = is_true(text);
	} else if (strcmp(path + root.len, "/EncodingType") == 0) {
		l->encoded = slice_eq(text, SLICE_LIT("url"));
	} else if (strcmp(path + root.len, "/NextContinuationToken") == 0) {
		if (text.len > S3_LIST_TOKEN_MAX)
			return refuse("a continuation token that is too long", err);
		l->next.len = 0;
		buf_add(&l->next, text.p, text.len);
	}
	return 0;
}

void s3_list_init(struct s3_list *l)
{
	*l = (struct s3_list){ 0 };
	s3_xml_init(&l->xml, on_end, l);
	entry_reset(l);
}

void s3_list_done(struct s3_list *l)
{
	s3_xml_done(&l->xml);
	buf_done(&l->text);
	buf_done(&l->next);
	free(l->keys);
	l->keys = NULL;
}

void s3_list_reset(struct s3_list *l)
{
	s3_xml_reset(&l->xml);
	l->text.len = l->next.len = 0;
	l->count = 0;
	l->truncated = l->encoded = l->ended = false;
	entry_reset(l);
}

int s3_list_add(struct s3_list *l, struct slice p, struct err *err)
{
	return s3_xml_add(&l->xml, p, err);
}

/* In place; '+' is a space. */
static int decode(char *p, size_t *len)
{
	size_t to = 0;
	for (size_t i = 0; i < *len; i++) {
		uint8_t byte;
		if (p[i] == '+') {
			p[to++] = ' ';
		} else if (p[i] != '%') {
			p[to++] = p[i];
		} else if (*len - i < 3 || text_unhex((struct slice){ p + i + 1, 2 }, &byte, 1) < 0) {
			return -1;
		} else {
			p[to++] = (char)byte;
			i += 2;
		}
	}
	*len = to;
	return 0;
}

int s3_list_end(struct s3_list *l, struct err *err)
{
	if (!l->ended || !s3_xml_whole(&l->xml))
		return refuse("it ends in the middle", err);
	for (size_t i = 0; l->encoded && i < l->count; i++) {
		if (decode(l->text.data + l->keys[i].key_at, &l->keys[i].key_len) < 0)
			return refuse("a key that is not URL-encoded, though the page says so", err);
	}
	return 0;
}

struct slice s3_list_key(const struct s3_list *l, size_t i)
{
	return (struct slice){ l->text.data ? l->text.data + l->keys[i].key_at : "", l->keys[i].key_len };
}

struct slice s3_list_etag(const struct s3_list *l, size_t i)
{
	return (struct slice){ l->text.data ? l->text.data + l->keys[i].etag_at : "", l->keys[i].etag_len };
}
