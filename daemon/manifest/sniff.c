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
			*ret = slice_trim((struct slice){ text.p, end ? (size_t)(end - text.p) : text.len });
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
		struct slice c = slice_trim((struct slice){ line.p, end ? (size_t)(end - line.p) : line.len });
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

static bool has_mapped(const struct manifest_columns *mapping, const struct slice *names, size_t count)
{
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		if (role_mapped(mapping, r, names, count))
			return true;
	return false;
}

/* Numbers and what stands between them, as in a label file of YOLO. */
static bool is_numbers(struct slice s)
{
	static const struct slice known = SLICE_LIT("0123456789.+-eE \t");
	for (size_t i = 0; i < s.len; i++)
		if (!memchr(known.p, s.p[i], known.len))
			return false;
	return true;
}

/* A name of a file: something, a dot, two to five letters or digits. */
static bool is_file_name(struct slice s)
{
	const char *dot = s.len ? memrchr(s.p, '.', s.len) : NULL;
	if (!dot || dot == s.p || is_numbers(s) || s.p + s.len - dot < 3 || s.p + s.len - dot > 6)
		return false;
	for (const char *p = dot + 1; p < s.p + s.len; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *p))
			return false;
	return true;
}

static struct slice behind_slash(struct slice s)
{
	const char *slash = s.len ? memrchr(s.p, '/', s.len) : NULL;
	return slash ? (struct slice){ slash + 1, s.len - (size_t)(slash + 1 - s.p) } : s;
}

static bool ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);
	return s.len >= n && memcmp(s.p + s.len - n, end, n) == 0;
}

static bool any_cell_ends_with(const struct slice *cells, size_t count, const char *end)
{
	for (size_t i = 0; i < count; i++)
		if (ends_with(cells[i], end))
			return true;
	return false;
}

/* A line of the head that begins so. */
static bool has_line(const struct window *w, const char *begin)
{
	size_t n = strlen(begin);
	const char *p = w->data + w->at;
	const char *end = w->data + w->end;
	while (p && (size_t)(end - p) > n) {
		if (memcmp(p, begin, n) == 0)
			return true;
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	return false;
}

static int sniff_table(struct manifest *m, struct slice line, struct err *err)
{
	struct slice names[MANIFEST_COLUMNS_SNIFFED];
	if (memchr(line.p, '\0', line.len))
		return err_set(err, ERR_REJECT, 0, "it is not text (UTF-16 needs its byte order mark)");
	if ((has_line(&m->window, "train:") || has_line(&m->window, "val:")) &&
		(has_line(&m->window, "names:") || has_line(&m->window, "nc:")))
		return MANIFEST_YOLO;
	size_t count = cells(line, names, MANIFEST_COLUMNS_SNIFFED);
	if (clarifai_is_header(names, count))
		return MANIFEST_CLARIFAI;
	if (automl_is_row(names, count))
		return MANIFEST_AUTOML;
	if (count > 0 && any_cell_ends_with(names, count, "file_name"))
		return MANIFEST_HUGGING_FACE;
	if (has_mapped(m->o.columns, names, count) || has_content_role(names, count))
		return MANIFEST_CSV;
	if (count > 1 && reference_kind(line) != REFERENCE_NONE && is_file_name(behind_slash(names[0])))
		return err_set(err, ERR_REJECT, 0, "it looks like a CSV whose first line names no columns; begin it with a line like "
			"url,label, or say --format urls where the URLs themselves go on behind a comma");
	if (reference_kind(line) != REFERENCE_NONE || (count == 1 && is_file_name(line)))
		return MANIFEST_URLS;
	return count > 1 ? MANIFEST_CSV : err_set(err, ERR_REJECT, 0, "its format is not recognised; say which it is "
		"with --format");
}

/* ---- JSON ---- */

#define KEYS_MAX 64
struct key {
	struct slice name;
	char first;           /* of its value */
};

/* Behind the string whose opening quote is at i; text.len where it does not end. */
static size_t behind_string(struct slice text, size_t i)
{
	for (i++; i < text.len && text.p[i] != '"'; i++)
		if (text.p[i] == '\\')
			i++;
	return i < text.len ? i + 1 : text.len;
}

static size_t behind_blanks(struct slice text, size_t i)
{
	while (i < text.len && strchr(" \t\r\n", text.p[i]) && text.p[i])
		i++;
	return i;
}

/* The members of the first object of the head, as far as the head goes; *ret_end: behind the object. */
static size_t keys_of(struct slice head, struct key keys[KEYS_MAX], size_t *ret_end)
{
	size_t n = 0;
	int depth = 0;
	*ret_end = head.len;
	for (size_t i = 0; i < head.len;) {
		char c = head.p[i];
		if (c == '"') {
			size_t end = behind_string(head, i);
			size_t colon = behind_blanks(head, end);
			if (depth == 1 && n < KEYS_MAX && colon < head.len && head.p[colon] == ':' && end > i + 1) {
				size_t value = behind_blanks(head, colon + 1);
				keys[n++] = (struct key){ { head.p + i + 1, end - i - 2 },
					value < head.len ? head.p[value] : '\0' };
			}
			i = end;
			continue;
		}
		depth += (c == '{' || (c == '[' && depth > 0)) - (c == '}' || (c == ']' && depth > 0));
		i++;
		if (depth == 0 && c == '}') {
			*ret_end = i;
			break;
		}
	}
	return n;
}

static char first_of(const struct key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(keys[i].name, slice_of(name)))
			return keys[i].first ? keys[i].first : '?';
	return '\0';
}

static bool any_ends_with(const struct key *keys, size_t n, const char *end)
{
	for (size_t i = 0; i < n; i++)
		if (ends_with(keys[i].name, end))
			return true;
	return false;
}

static enum manifest_format format_by_keys(const struct key *keys, size_t n)
{
#define HAS(name) first_of(keys, n, name)
	if (HAS("images") == '[' && (HAS("annotations") == '[' || HAS("categories") == '[' || HAS("info")))
		return MANIFEST_COCO;
	if ((HAS("annotations") == '[' || HAS("categories") == '[') && !HAS("data") && !HAS("id") && n <= 6)
		return MANIFEST_COCO;
	if (HAS("source-ref") || (HAS("source") == '"' && any_ends_with(keys, n, "-metadata")) ||
		(HAS("source") == '"' && n == 1))
		return MANIFEST_GROUND_TRUTH;
	if (HAS("imageGcsUri") || HAS("videoGcsUri") || HAS("textGcsUri") || HAS("textContent"))
		return MANIFEST_VERTEX;
	if (HAS("custom_id") && (HAS("body") || HAS("response")))
		return MANIFEST_OPENAI;
	if (HAS("data") == '{')
		return MANIFEST_LABEL_STUDIO;
	if (any_ends_with(keys, n, "file_name") || any_ends_with(keys, n, "file_names"))
		return MANIFEST_HUGGING_FACE;
	return n == 1 && HAS("version") == '"' ? MANIFEST_CVAT : MANIFEST_JSONL;
#undef HAS
}

static int sniff_json(struct manifest *m, struct err *err)
{
	struct window *w = &m->window;
	struct key keys[KEYS_MAX];
	for (;;) {
		struct slice head = { w->data + w->at, window_left(w) };
		size_t end = 0;
		size_t n = keys_of(head, keys, &end);
		if (end < head.len || w->ended || head.len >= MANIFEST_HEAD_MAX) {
			if (first_of(keys, n, "image_id") && first_of(keys, n, "category_id"))
				return err_set(err, ERR_REJECT, 0, "these are COCO results, which name images by number only; "
					"put them as annotations into the COCO file that has the images");
			return (int)format_by_keys(keys, n);
		}
		if (window_more(w, err) < 0)
			return -1;
	}
}

int sniff(struct manifest *m, struct err *err)
{
	struct window *w = &m->window;
	struct slice line;
	struct err later; /* what cannot be read is told when it is needed: there may be rows before it */
	while (!w->ended && window_left(w) < MANIFEST_HEAD_MIN)
		if (window_more(w, &later) < 0)
			break;
	if (first_line(m, &line, err) < 0)
		return -1;
	if (line.len == 0)
		return err_set(err, ERR_REJECT, 0, "it is empty");
	if (*line.p == '{' || (*line.p == '[' && !memchr(line.p, '\0', line.len)))
		return sniff_json(m, err);
	return sniff_table(m, line, err);
}
