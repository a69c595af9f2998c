/* refusal.c - contradictions in words. Noted as {"frame":5,"before":"line 2 gives the id 'x' to ","item":7,"after":"…"},
 * without "item" where all of the words are known. */
#include "daemon/imports/refusal.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/model/import_body.h"
#include "daemon/store/store.h"

#include <inttypes.h>
#include <jansson.h>

#define SHOWN_MAX 200 /* bytes of a key or place in a reason */

static void put_shown(struct buf *to, struct slice s, size_t max)
{
	size_t n = s.len < max ? s.len : max;
	while (n > 0 && n < s.len && (s.p[n] & 0xC0) == 0x80) /* not within a character */
		n--;
	buf_char(to, '\'');
	text_printable(to, (struct slice){ s.p, n });
	buf_str(to, n < s.len ? "...'" : "'");
}

/* --- noted --- */

/* What a row gives the id to. True: it is a text, of which nothing is said. */
static bool put_place(struct buf *to, struct slice body)
{
	struct reader r;
	struct import_body b;
	struct err err;
	if (import_body_read(body, &r, &b, &err) < 0) {
		buf_str(to, "something else");
		return false;
	}
	bool text = slice_eq(b.at, SLICE_LIT("text"));
	if (slice_eq(b.at, SLICE_LIT("path")))
		buf_str(to, "the file ");
	if (!text)
		put_shown(to, b.where, SHOWN_MAX);
	reader_done(&r);
	return text;
}

static void put_own_text(struct buf *to, struct slice begins, bool another)
{
	if (begins.len == 0) {
		buf_str(to, another ? "another text" : "a text");
		return;
	}
	buf_str(to, another ? "another text, " : "the text ");
	put_shown(to, begins, REFUSAL_TEXT_MAX);
}

void refusal_note(struct import_pass *pass, const struct import_claim *c, struct slice begins, const struct ledger_row *object,
	const struct import_row *earlier, uint64_t frame, struct buf *noted)
{
	CLEANUP(buf_done) struct buf before = { 0 }, after = { 0 };
	struct json j = { .to = noted, .comma = noted->len > 0 };
	if (import_has_moved(pass, earlier->row))
		buf_str(&before, "an earlier row");
	else
		buf_printf(&before, "line %" PRIu64, earlier->line);
	buf_str(&before, " gives the id ");
	put_shown(&before, c->key, SHOWN_MAX);
	buf_str(&before, " to ");
	bool was_text = put_place(&before, earlier->body);
	buf_str(&after, ", this row gives it to ");
	if (put_place(&after, c->body))
		put_own_text(&after, begins, was_text);
	json_open(&j, NULL, '{');
	json_u64(&j, "frame", frame);
	json_bytes(&j, "before", buf_slice(&before));
	if (was_text)
		json_u64(&j, "item", object->item);
	json_bytes(&j, "after", buf_slice(&after));
	json_close(&j, '}');
}

/* --- told --- */

/* How the text of an item begins. */
static int read_text(struct store *s, uint64_t id, struct buf *to, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	CLEANUP(close_fdp) int fd = -1;
	struct item item;
	uint64_t offset;
	if (view_open(s, &v, err) < 0)
		return -1;
	int found = view_item(v, id, &item, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ERR_REJECT, 0, "no item");
	size_t n = item.bytes <= REFUSAL_TEXT_MAX ? (size_t)item.bytes : REFUSAL_TEXT_MAX + 1;
	if (store_blob(s, &item, &fd, &offset, err) < 0 || file_read_at(fd, buf_grow(to, n + 1), n, offset, err) < 0)
		return -1;
	to->len = n;
	return 0;
}

static void put_text(struct store *s, uint64_t item, struct buf *to)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err err;
	bool read = read_text(s, item, &text, &err) == 0;
	buf_str(to, read ? "the text " : "a text");
	if (read)
		put_shown(to, buf_slice(&text), REFUSAL_TEXT_MAX);
}

static void add_string(struct buf *to, const json_t *object, const char *name)
{
	const json_t *s = json_object_get(object, name);
	buf_add(to, json_string_value(s), json_string_length(s));
}

static void tell_one(struct store *s, const json_t *noted, struct json *j)
{
	CLEANUP(buf_done) struct buf reason = { 0 };
	const json_t *item = json_object_get(noted, "item");
	add_string(&reason, noted, "before");
	if (item)
		put_text(s, (uint64_t)json_integer_value(item), &reason);
	add_string(&reason, noted, "after");
	json_open(j, NULL, '{');
	json_u64(j, "frame", (uint64_t)json_integer_value(json_object_get(noted, "frame")));
	json_bytes(j, "reason", buf_slice(&reason));
	json_str(j, "cure", SLICE_LIT("give each row an id of its own"));
	json_close(j, '}');
}

void refusals_tell(struct store *s, struct slice noted, struct json *j)
{
	CLEANUP(buf_done) struct buf list = { 0 };
	const json_t *one;
	size_t i;
	buf_char(&list, '[');
	buf_add(&list, noted.p, noted.len);
	buf_char(&list, ']');
	CLEANUP(json_decrefp) json_t *all = json_loadb(list.data, list.len, 0, NULL);
	json_open(j, "refused", '[');
	json_array_foreach(all, i, one)
		tell_one(s, one, j);
	json_close(j, ']');
}
