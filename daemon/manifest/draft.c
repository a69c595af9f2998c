/* draft.c - a row in the making. */
#include "daemon/manifest/draft.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/reference.h"
#include "daemon/net/url_identity.h"

#include <stdarg.h>
#include <stdlib.h>

#define WARNINGS (sizeof(((struct draft *)0)->warnings) / sizeof(struct slice))
#define SHOWN_MAX 60U

void draft_begin(struct draft *d, struct manifest_place at, struct slice raw)
{
	d->row = (struct manifest_row){ .at = at, .raw = raw };
	d->label_count = d->warning_count = 0;
	arena_reset(&d->arena);
}

void draft_done(struct draft *d)
{
	arena_done(&d->arena);
	free(d->labels);
	buf_done(&d->text);
	*d = (struct draft){ 0 };
}

struct manifest_label *draft_label(struct draft *d, struct slice concept)
{
	if (d->label_count == d->label_room) {
		d->label_room = d->label_room ? 2 * d->label_room : 16;
		d->labels = mem_resize(d->labels, d->label_room, sizeof(*d->labels));
	}
	struct manifest_label *l = &d->labels[d->label_count++];
	*l = (struct manifest_label){ .concept = concept, .confidence = -1, .status = STATUS_SUCCESS };
	return l;
}

void draft_warn(struct draft *d, const char *fmt, ...)
{
	if (d->warning_count == WARNINGS) {
		d->warnings[WARNINGS - 1] = SLICE_LIT("there is more to warn of in this row");
		return;
	}
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->warnings[d->warning_count++] = arena_copy(&d->arena, slice_of(text));
}

int draft_fail(struct draft *d, struct manifest_place at, const char *cure, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->failure = (struct manifest_failure){ .at = at, .class = ERR_REJECT, .raw = d->row.raw };
	d->failure.reason = arena_copy(&d->arena, slice_of(text));
	d->failure.cure = cure ? arena_copy(&d->arena, slice_of(cure)) : (struct slice){ 0 };
	return DRAFT_FAILED;
}

struct slice draft_take(struct draft *d)
{
	struct slice s = arena_copy(&d->arena, buf_slice(&d->text));
	d->text.len = 0;
	return s;
}

const char *draft_show(struct draft *d, struct slice s)
{
	size_t len = s.len < SHOWN_MAX ? s.len : SHOWN_MAX;
	while (len < s.len && len > 0 && ((unsigned char)s.p[len] & 0xc0) == 0x80)
		len--; /* not within a character */
	struct buf shown = { 0 };
	text_printable(&shown, (struct slice){ s.p, len });
	if (len < s.len)
		buf_str(&shown, "…");
	struct slice kept = arena_copy(&d->arena, buf_slice(&shown));
	buf_done(&shown);
	return kept.p;
}

int draft_finish(struct draft *d)
{
	if (!d->row.content_kind)
		return draft_fail(d, d->row.at, NULL, "the row names no file, no URL and no text");
	d->row.labels = d->labels;
	d->row.label_count = d->label_count;
	d->row.warnings = d->warnings;
	d->row.warning_count = d->warning_count;
	return DRAFT_ROW;
}

void draft_id(struct draft *d, struct slice id)
{
	if (id.len == 0)
		return;
	d->row.identity_kind = ROW_BY_ID;
	d->row.identity = id;
}

/* What stands for the row where it has no id of its own. */
static void identify(struct draft *d, enum row_identity kind, struct slice by)
{
	if (d->row.identity_kind == ROW_BY_ID)
		return;
	d->row.identity_kind = kind;
	d->row.identity = by;
}

void draft_text(struct draft *d, struct slice text)
{
	d->row.content_kind = ROW_TEXT;
	d->row.content = text;
	d->row.media = MEDIA_TEXT;
	identify(d, ROW_BY_TEXT, text);
}

static int content(struct draft *d, enum row_content kind, struct slice value)
{
	d->row.content_kind = kind;
	d->row.content = value;
	struct slice by = value;
	if (kind == ROW_URL && memchr(value.p, '?', value.len)) {
		d->text.len = 0;
		url_identity(value, &d->text);
		by = draft_take(d);
	}
	identify(d, ROW_BY_REFERENCE, by);
	return DRAFT_ROW;
}

static int file_url(struct draft *d, struct slice value, struct manifest_place at)
{
	d->text.len = 0;
	if (reference_file_path(value, &d->text) < 0)
		return draft_fail(d, at, "write file:///the/path, or the path itself", "'%s' names no file of this machine",
			draft_show(d, value));
	if (!text_is_utf8(buf_slice(&d->text)))
		return draft_fail(d, at, "rename the file", "'%s' names a file whose name is not UTF-8", draft_show(d, value));
	return content(d, ROW_PATH, draft_take(d));
}

static int no_reference(struct draft *d, enum reference_kind kind, struct slice value, struct manifest_place at)
{
	if (kind == REFERENCE_DATA)
		return draft_fail(d, at, "write the bytes to a file and name that", "'%s' carries its bytes in itself",
			draft_show(d, value));
	if (kind == REFERENCE_OTHER)
		return draft_fail(d, at, "http, https, s3, gs, file: and paths can be read", "'%s' cannot be read from here",
			draft_show(d, value));
	return draft_fail(d, at, NULL, "'%s' is not a URL", draft_show(d, value));
}

int draft_content(struct draft *d, struct slice value, enum manifest_input input, struct manifest_place at)
{
	if (input == INPUT_RAW) {
		draft_text(d, value);
		return DRAFT_ROW;
	}
	if (value.len == 0)
		return draft_fail(d, at, NULL, "the row names no file, no URL and no text");
	enum reference_kind kind = reference_kind(value);
	switch (kind) {
	case REFERENCE_URL:
		return content(d, ROW_URL, value);
	case REFERENCE_S3:
		return content(d, ROW_S3, value);
	case REFERENCE_GS:
		return content(d, ROW_GS, value);
	case REFERENCE_FILE:
		return file_url(d, value, at);
	case REFERENCE_PATH:
		if (input == INPUT_URL)
			return no_reference(d, kind, value, at);
		return content(d, ROW_PATH, value);
	case REFERENCE_NONE:
		if (input == INPUT_FILE_PATH)
			return content(d, ROW_PATH, value);
		if (input == INPUT_URL)
			return no_reference(d, kind, value, at);
		draft_text(d, value);
		return DRAFT_ROW;
	default:
		return no_reference(d, kind, value, at);
	}
}
