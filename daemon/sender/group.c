/* group.c - rows as the store takes them. */
#include "daemon/sender/group.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/model/content_id.h"
#include "daemon/model/import_body.h"
#include "daemon/net/url_identity.h"

#include <inttypes.h>
#include <stdlib.h>

#define KEY_BYTES_MAX 1024
#define GROUP_LABELS_MAX (256U << 10) /* bytes; more go on in another row of the same key */
#define GROUP_FAILURES_MAX (1U << 20)
#define FAILURE_SPARE 64       /* bytes of a failure for what is added later */
#define RAW_KEPT 4096U         /* bytes of the text of a row that is too long to be kept */

#define LABELS_BEGIN ",\"labels\":["

/* A row's key in the ledger: what is too long to be one, and texts, by their digest. */
static void make_key(const struct manifest_row *row, struct buf *to)
{
	uint8_t digest[SHA256_BYTES];
	char hex[CONTENT_ID_HEX + 1];
	if (row->identity_kind != ROW_BY_TEXT && row->identity.len > 0 && row->identity.len <= KEY_BYTES_MAX) {
		buf_add(to, row->identity.p, row->identity.len);
		return;
	}
	struct sha256 *h = sha256_new();
	sha256_of(h, row->identity.p, row->identity.len, digest);
	sha256_free(h);
	text_hex(digest, sizeof(digest), hex);
	buf_printf(to, "%s:%s", row->identity_kind == ROW_BY_TEXT ? "text" : "sha256", hex);
}

static const char *media_said(enum media m)
{
	return m == MEDIA_UNKNOWN ? "" : media_name(m);
}

static void put_if_any(struct json *j, const char *name, struct slice s)
{
	if (s.len)
		json_bytes(j, name, s);
}

/* Signed anew it is the same place. */
static void put_where(struct slice url, struct json *j)
{
	struct buf text = { 0 };
	url_identity(url, &text);
	json_bytes(j, "where", buf_slice(&text));
	buf_done(&text);
}

/* Left open: labels and the closing bracket follow. */
static void make_head(const struct manifest_row *row, const char *at, struct buf *to)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, "at", slice_of(at));
	if (row->content_kind == ROW_URL)
		put_where(row->content, &j);
	else if (row->content_kind != ROW_TEXT)
		json_bytes(&j, "where", row->content);
	put_if_any(&j, "media", slice_of(media_said(row->media)));
	put_if_any(&j, "split", slice_of(row_split_name(row->split)));
	if (row->metadata.len)
		json_raw(&j, "metadata", row->metadata);
	put_if_any(&j, "unreadable", row->unreadable);
	if (row->attributes.len)
		json_raw(&j, "attributes", row->attributes);
}

static void add_labels(struct import_group *g, const struct manifest_row *row)
{
	struct json j = { .to = &g->labels, .comma = g->labels.len > 0 };
	for (size_t i = 0; i < row->label_count; i++) {
		const struct manifest_label *l = &row->labels[i];
		struct label label = { .concept = l->concept, .confidence = l->confidence, .status = l->status,
			.maker = maker_parse(slice_of(row_maker_name(l->maker))), .worker = l->worker, .geometry = l->geometry,
			.attributes = l->attributes };
		if (l->concept.len)
			label_put(&j, &label);
	}
}

static bool put_if_fits(const struct import_failure *f, struct buf *to)
{
	size_t start = to->len;
	struct json j = { .to = to };
	import_failure_put(&j, NULL, f);
	if (to->len - start <= IMPORT_FAILURE_MAX - FAILURE_SPARE)
		return true;
	to->len = start;
	return false;
}

/* Of a row that is too long to be kept: without its values, which its text says, else the beginning of its text. */
static void put_place(struct manifest *m, struct import_failure *f, struct buf *to)
{
	CLEANUP(buf_done) struct buf values = { 0 };
	manifest_values(m, &values);
	f->values = buf_slice(&values);
	if (put_if_fits(f, to))
		return;
	f->values = (struct slice){ 0 };
	if (put_if_fits(f, to))
		return;
	size_t len = f->raw.len < RAW_KEPT ? f->raw.len : RAW_KEPT;
	while (len < f->raw.len && len > 0 && (f->raw.p[len] & 0xC0) == 0x80) /* not within a character */
		len--;
	f->raw.len = len;
	f->cut = true;
	struct json j = { .to = to };
	import_failure_put(&j, NULL, f);
}

void failed_row(struct manifest *m, const struct manifest_failure *f, struct buf *to)
{
	put_place(m, &(struct import_failure){ .column = f->at.column, .offset = f->at.offset, .retry = f->class == ERR_RETRY,
		.raw = f->raw, .cut = f->raw_cut }, to);
}

/* Rows may still fail when they are looked at beside others, or when their bytes are looked for; their own text is gone by then. */
static void remember(struct import_group *g, struct manifest *m, const struct manifest_row *row)
{
	if (g->kind != ROW_TEXT && g->kind != ROW_PATH && g->origin.len == 0)
		put_place(m, &(struct import_failure){ .column = row->at.column, .offset = row->at.offset, .raw = row->raw,
			.url = row->content }, &g->origin);
	buf_u64(&g->failures, row->at.line);
	buf_char(&g->failures, ' ');
	put_place(m, &(struct import_failure){ .column = row->at.column, .offset = row->at.offset, .raw = row->raw }, &g->failures);
	buf_char(&g->failures, '\n');
	g->rows++;
}

/* All rows of a group whose bytes are fetched later are told in one. */
static bool fits_origin(const struct import_group *g)
{
	return g->kind == ROW_TEXT || g->content.len + g->failures.len + (g->rows + 2) * FAILURE_SPARE <= IMPORT_FAILURE_MAX;
}

struct import_group *group_new(struct manifest *m, const struct manifest_row *row)
{
	struct import_group *g = mem_zero(1, sizeof(*g));
	make_key(row, &g->key);
	g->kind = row->content_kind;
	buf_add(&g->content, row->content.p, row->content.len);
	make_head(row, row_content_name(row->content_kind), &g->head);
	g->at = row->at;
	add_labels(g, row);
	remember(g, m, row);
	return g;
}

struct import_group *group_of_file(const struct manifest_row *row)
{
	struct import_group *g = mem_zero(1, sizeof(*g));
	struct import_failure place = { .raw = row->content };
	struct json j = { .to = &g->failures };
	make_key(row, &g->key);
	g->kind = row->content_kind;
	buf_add(&g->content, row->content.p, row->content.len);
	make_head(row, row_content_name(row->content_kind), &g->head);
	add_labels(g, row);
	buf_str(&g->failures, "0 ");
	import_failure_put(&j, NULL, &place);
	buf_char(&g->failures, '\n');
	return g;
}

void group_free(struct import_group *g)
{
	if (!g)
		return;
	buf_done(&g->key);
	buf_done(&g->content);
	buf_done(&g->head);
	buf_done(&g->labels);
	buf_done(&g->origin);
	buf_done(&g->failures);
	free(g);
}

bool group_add(struct import_group *g, struct manifest *m, const struct manifest_row *row)
{
	struct buf key = { 0 }, head = { 0 };
	bool same = row->content_kind == g->kind && slice_eq(row->content, buf_slice(&g->content)) &&
		g->labels.len < GROUP_LABELS_MAX && g->failures.len < GROUP_FAILURES_MAX;
	if (same)
		make_key(row, &key);
	if (same && (same = slice_eq(buf_slice(&key), buf_slice(&g->key))))
		make_head(row, row_content_name(row->content_kind), &head);
	same = same && slice_eq(buf_slice(&head), buf_slice(&g->head));
	buf_done(&key);
	buf_done(&head);
	if (!same)
		return false;
	size_t had = g->labels.len, failures = g->failures.len;
	add_labels(g, row);
	remember(g, m, row);
	if ((had == 0 || !group_too_long(g)) && fits_origin(g))
		return true;
	g->labels.len = had; /* by itself it may be short enough */
	g->failures.len = failures;
	g->rows--;
	return false;
}

bool group_too_long(const struct import_group *g)
{
	return g->head.len + g->labels.len + sizeof(LABELS_BEGIN) + 2 > IMPORT_BODY_MAX;
}

void group_body(const struct import_group *g, struct buf *to)
{
	buf_add(to, g->head.data, g->head.len);
	if (g->labels.len) {
		buf_str(to, LABELS_BEGIN);
		buf_add(to, g->labels.data, g->labels.len);
		buf_char(to, ']');
	}
	buf_char(to, '}');
}

void row_body(const struct manifest_row *row, const char *at, struct buf *to)
{
	struct import_group g = { 0 };
	make_head(row, at, &g.head);
	add_labels(&g, row);
	group_body(&g, to);
	buf_done(&g.head);
	buf_done(&g.labels);
}

/* Labels and metadata are the manifest's own JSON, which may go over many lines: a blank means the same there. */
void frame_end(struct buf *to, size_t from)
{
	for (size_t i = from; i < to->len; i++)
		if (to->data[i] == '\n' || to->data[i] == '\r')
			to->data[i] = ' ';
	buf_char(to, '\n');
}

void failure_frame(uint64_t line, struct slice failed, struct slice reason, struct slice cure, struct buf *to)
{
	size_t start = to->len;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	if (line)
		json_u64(&j, "line", line);
	json_raw(&j, "failed", failed);
	json_bytes(&j, "reason", reason);
	if (cure.len)
		json_bytes(&j, "cure", cure);
	json_close(&j, '}');
	frame_end(to, start);
}

bool group_same_content(const struct import_group *g, const struct import_group *other)
{
	return g->kind == other->kind && slice_eq(buf_slice(&g->content), buf_slice(&other->content));
}

size_t group_bytes(const struct import_group *g)
{
	return g->key.len + g->content.len + g->head.len + g->labels.len + g->origin.len + g->failures.len;
}

void group_await(struct import_group *g)
{
	const char *json = strchr(g->failures.data, '{');
	const char *end = memchr(json, '\n', (size_t)(g->failures.data + g->failures.len - json));
	struct json j = { .to = &g->origin };
	g->origin.len = 0;
	json_open(&j, NULL, '{');
	json_bytes(&j, "url", buf_slice(&g->content));
	buf_char(&g->origin, ',');
	buf_add(&g->origin, json + 1, (size_t)(end - json - 1));
}

/* Behind the row of the group that begins at `at`. */
static const char *row_end(const struct import_group *g, const char *at)
{
	return (const char *)memchr(at, '\n', (size_t)(g->failures.data + g->failures.len - at)) + 1;
}

void group_origin(const struct import_group *g, struct buf *to)
{
	const char *all = g->failures.data + g->failures.len;
	buf_add(to, g->origin.data, g->origin.len - 1);
	for (const char *at = g->rows > 1 ? row_end(g, g->failures.data) : all, *end; at < all; at = end) {
		char *json;
		bool first = at == row_end(g, g->failures.data);
		uint64_t line = strtoull(at, &json, 10);
		end = row_end(g, at);
		buf_printf(to, "%s{\"line\":%" PRIu64 ",", first ? ",\"more\":[" : ",", line);
		buf_add(to, json + 2, (size_t)(end - json - 3)); /* behind " {" */
	}
	buf_str(to, g->rows > 1 ? "]}" : "}");
}

uint64_t group_failed(const struct import_group *g, struct slice reason, struct slice cure, bool retry, struct buf *to)
{
	const char *at = g->failures.data;
	uint64_t n = 0;
	while (at < g->failures.data + g->failures.len) {
		char *json;
		uint64_t line = strtoull(at, &json, 10);
		const char *end = memchr(json, '\n', (size_t)(g->failures.data + g->failures.len - json));
		struct buf failed = { 0 };
		buf_str(&failed, retry ? "{\"retry\":true," : "{");
		buf_add(&failed, json + 2, (size_t)(end - json - 2)); /* behind " {" */
		failure_frame(line, buf_slice(&failed), reason, cure, to);
		buf_done(&failed);
		at = end + 1;
		n++;
	}
	return n;
}
