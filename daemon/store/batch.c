/* batch.c - encodes, chains and reads batch members. */
#include "daemon/store/batch.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/segment.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#define KEPT_BYTES_MAX ((size_t)16 << 20) /* a buffer that one huge batch has grown beyond this is given back */
#define NAME_BEFORE "__batch-"
#define NAME_AFTER "__"
#define ERASED_BEFORE "{\"erased\":\""
#define ERASED_AFTER "\"}"

struct batch {
	uint64_t revision;
	size_t lines;
	struct buf text;
	struct sha256 *line;  /* hash of one line */
	struct sha256 *chain; /* hash of prev and the lines' hashes */
	void *memory;         /* the finished append, grown and reused */
	size_t capacity;
};

struct batch *batch_new(void)
{
	struct batch *b = mem_zero(1, sizeof(*b));
	b->line = sha256_new();
	b->chain = sha256_new();
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	buf_done(&b->text);
	sha256_free(b->line);
	sha256_free(b->chain);
	mem_unmap(b->memory, b->capacity);
	free(b);
}

/* What the text has grown by since `from` is one line: hash it and end it. */
static void line_end(struct batch *b, size_t from)
{
	uint8_t digest[SHA256_BYTES];
	sha256_of(b->line, b->text.data + from, b->text.len - from, digest);
	sha256_add(b->chain, digest, sizeof(digest));
	buf_char(&b->text, '\n');
}

void batch_begin(struct batch *b, uint64_t revision, const uint8_t prev[SHA256_BYTES], int64_t time_ms)
{
	if (b->text.cap > KEPT_BYTES_MAX)
		buf_done(&b->text);
	if (b->capacity > KEPT_BYTES_MAX) {
		mem_unmap(TAKE_PTR(b->memory), b->capacity);
		b->capacity = 0;
	}
	b->revision = revision;
	b->lines = 0;
	b->text.len = 0;
	sha256_begin(b->chain);
	sha256_add(b->chain, prev, SHA256_BYTES);
	struct json j = { .to = &b->text };
	json_open(&j, NULL, '{');
	json_u64(&j, "batch", revision);
	json_hex(&j, "prev", prev, SHA256_BYTES);
	json_i64(&j, "time", time_ms);
	json_close(&j, '}');
	line_end(b, 0);
}

void batch_add(struct batch *b, const struct record *r)
{
	size_t from = b->text.len;
	record_encode(r, &b->text);
	line_end(b, from);
	b->lines++;
}

size_t batch_lines(const struct batch *b)
{
	return b->lines;
}

size_t batch_bytes(const struct batch *b)
{
	return b->text.len;
}

const void *batch_end(struct batch *b, size_t *ret_n, uint8_t ret_digest[SHA256_BYTES])
{
	size_t member = TAR_BLOCK + tar_padded(b->text.len);
	if (b->capacity < member + SEGMENT_ALIGN) {
		mem_unmap(b->memory, b->capacity);
		b->capacity = (2 * member + 2 * SEGMENT_ALIGN) & ~(size_t)(SEGMENT_ALIGN - 1);
		b->memory = mem_map(b->capacity);
	}
	uint8_t *bytes = b->memory;
	char name[TAR_NAME_MAX + 1];
	(void)snprintf(name, sizeof(name), NAME_BEFORE "%" PRIu64 NAME_AFTER, b->revision);
	tar_header(bytes, name, b->text.len);
	memcpy(bytes + TAR_BLOCK, b->text.data, b->text.len);
	memset(bytes + TAR_BLOCK + b->text.len, 0, member - TAR_BLOCK - b->text.len);
	sha256_end(b->chain, ret_digest);
	*ret_n = member + segment_pad(bytes + member, member);
	return bytes;
}

uint64_t batch_name(const char *member_name)
{
	const size_t before = sizeof(NAME_BEFORE) - 1;
	const size_t after = sizeof(NAME_AFTER) - 1;
	size_t len = strlen(member_name);
	uint64_t revision;
	if (len <= before + after || strncmp(member_name, NAME_BEFORE, before) != 0 ||
	    strcmp(member_name + len - after, NAME_AFTER) != 0 ||
	    text_u64((struct slice){ member_name + before, len - before - after }, &revision) < 0)
		return 0;
	return revision;
}

static bool head_read(struct slice line, struct batch_head *ret)
{
	CLEANUP(json_decrefp) json_t *head = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *revision = json_object_get(head, "batch");
	json_t *time = json_object_get(head, "time");
	const char *prev = json_string_value(json_object_get(head, "prev"));
	if (!json_is_integer(revision) || json_integer_value(revision) < 1 || !json_is_integer(time) || !prev ||
	    text_unhex(slice_of(prev), ret->prev, SHA256_BYTES) < 0)
		return false;
	ret->revision = (uint64_t)json_integer_value(revision);
	ret->time_ms = json_integer_value(time);
	return true;
}

/* The digest that an erased line stands for. */
static bool erased_digest(struct slice line, uint8_t ret[SHA256_BYTES])
{
	const size_t before = sizeof(ERASED_BEFORE) - 1;
	const size_t hex = (size_t)2 * SHA256_BYTES;
	return line.len == before + hex + sizeof(ERASED_AFTER) - 1 && memcmp(line.p, ERASED_BEFORE, before) == 0 &&
	       memcmp(line.p + before + hex, ERASED_AFTER, sizeof(ERASED_AFTER) - 1) == 0 &&
	       text_unhex((struct slice){ line.p + before, hex }, ret, SHA256_BYTES) == 0;
}

/* Cuts the first line off the text; false: there is none that ends with a newline. */
static bool line_cut(struct slice *text, struct slice *ret)
{
	const char *end = text->len ? memchr(text->p, '\n', text->len) : NULL;
	if (!end)
		return false;
	*ret = (struct slice){ text->p, (size_t)(end - text->p) };
	text->p = end + 1;
	text->len -= ret->len + 1;
	return true;
}

static void digest_of(struct slice text, struct sha256 *hash, const uint8_t prev[SHA256_BYTES], uint8_t ret[SHA256_BYTES])
{
	CLEANUP(buf_done) struct buf digests = { 0 };
	struct slice line;
	buf_add(&digests, prev, SHA256_BYTES);
	while (line_cut(&text, &line)) {
		uint8_t digest[SHA256_BYTES];
		if (!erased_digest(line, digest))
			sha256_of(hash, line.p, line.len, digest);
		buf_add(&digests, digest, sizeof(digest));
	}
	sha256_of(hash, digests.data, digests.len, ret);
}

int batch_open(struct slice text, struct sha256 *hash, struct batch_head *ret, uint8_t ret_digest[SHA256_BYTES],
	struct slice *ret_lines, struct err *err)
{
	struct slice lines = text;
	struct slice first;
	struct batch_head head;
	if (!line_cut(&lines, &first) || text.p[text.len - 1] != '\n')
		return err_set(err, ERR_REJECT, 0, "a batch that does not end with a line's end");
	if (!head_read(first, &head))
		return err_set(err, ERR_REJECT, 0, "a batch whose first line is not {\"batch\":...,\"prev\":...,\"time\":...}");
	digest_of(text, hash, head.prev, ret_digest);
	*ret = head;
	*ret_lines = lines;
	return 0;
}

enum batch_line batch_next(struct slice *lines, struct slice *ret_line)
{
	uint8_t digest[SHA256_BYTES];
	if (!line_cut(lines, ret_line))
		return BATCH_END;
	return erased_digest(*ret_line, digest) ? BATCH_ERASED : BATCH_RECORD;
}
