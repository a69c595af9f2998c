/* sniff.c - what the first lines say. */
#include "daemon/manifest/sniff.h"

#include "daemon/manifest/formats.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/reference.h"
#include "daemon/manifest/roles.h"

/* The first line that says something, at most max bytes of it; the window holds it whole or to its limit. */
static int first_line(struct manifest *m, struct slice *ret, struct err *err)
{
	struct window *w = &m->window;
	for (;;) {
		struct slice text = { w->data + w->at, window_left(w) };
		while (text.len && strchr("\r\n\t ", *text.p) && *text.p)
			text = (struct slice){ text.p + 1, text.len - 1 };
		const char *end = text.len ? memchr(text.p, '\n', text.len) : NULL;
		if (end || w->ended || window_left(w) >= MANIFEST_HEAD_MAX) {
			*ret = trim((struct slice){ text.p, end ? (size_t)(end - text.p) : text.len });
			return 0;
		}
		if (window_more(w, err) < 0)
			return -1;
	}
}

/* Cells of a line by its delimiter, quotes taken off; good enough to look at names. */
static size_t cells(struct slice line, struct slice *to, size_t max)
{
	char delimiter = table_delimiter(line);
	size_t n = 0;
	while (n < max) {
		const char *end = line.len ? memchr(line.p, delimiter, line.len) : NULL;
		struct slice c = trim((struct slice){ line.p, end ? (size_t)(end - line.p) : line.len });
		if (c.len >= 2 && *c.p == '"' && c.p[c.len - 1] == '"')
			c = (struct slice){ c.p + 1, c.len - 2 };
		to[n++] = c;
		if (!end)
			break;
		line = (struct slice){ end + 1, line.len - (size_t)(end + 1 - line.p) };
	}
	return n;
}

static bool has_content_role(const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (role_is_content(role_by_usual_name(names[i])))
			return true;
	return false;
}

/* A name of a file: something, a dot, two to five letters or digits. */
static bool is_file_name(struct slice s)
{
	const char *dot = s.len ? memrchr(s.p, '.', s.len) : NULL;
	if (!dot || dot == s.p || s.p + s.len - dot < 3 || s.p + s.len - dot > 6)
		return false;
	for (const char *p = dot + 1; p < s.p + s.len; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *p))
			return false;
	return true;
}

static int sniff_table(struct manifest *m, struct slice line, struct err *err)
{
	struct slice names[MANIFEST_COLUMNS_SNIFFED];
	if (memchr(line.p, '\0', line.len))
		return err_set(err, ERR_REJECT, 0, "it is not text (UTF-16 needs its byte order mark)");
	size_t count = cells(line, names, MANIFEST_COLUMNS_SNIFFED);
	if (clarifai_is_header(names, count))
		return MANIFEST_CLARIFAI;
	if (m->o.columns || has_content_role(names, count))
		return MANIFEST_CSV;
	if (reference_kind(line) != REFERENCE_NONE || (count == 1 && is_file_name(line)))
		return MANIFEST_URLS;
	return count > 1 ? MANIFEST_CSV : err_set(err, ERR_REJECT, 0, "its format is not recognised; say which it is "
		"with --format");
}

int sniff(struct manifest *m, struct err *err)
{
	struct slice line;
	if (first_line(m, &line, err) < 0)
		return -1;
	if (line.len == 0)
		return err_set(err, ERR_REJECT, 0, "it is empty");
	return sniff_table(m, line, err);
}
