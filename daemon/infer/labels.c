/* labels.c - reads and checks lists of class names. */
#include "daemon/infer/labels.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <fcntl.h>

static int check_label(const char *name, size_t line, struct slice label, struct err *err)
{
	if (label.len == 0)
		return err_set(err, ERR_REJECT, 0, "%s:%zu: an empty label; each class needs a name", name, line);
	if (label.len > LABEL_BYTES_MAX)
		return err_set(err, ERR_REJECT, 0, "%s:%zu: a label of %zu bytes; at most %d", name, line, label.len,
			LABEL_BYTES_MAX);
	if (!text_is_utf8(label) || memchr(label.p, '\0', label.len))
		return err_set(err, ERR_REJECT, 0, "%s:%zu: a label that is not UTF-8 text", name, line);
	if (line > LABELS_MAX)
		return err_set(err, ERR_REJECT, 0, "%s: more than %d labels", name, LABELS_MAX);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = *(const char *const *const *)a, *const *y = *(const char *const *const *)b;
	int order = strcmp(*x, *y);
	return order ? order : (x > y) - (x < y);
}

/* Two classes of one name could not be told apart in any annotation. */
static int check_different(const char *name, const struct card *c, struct err *err)
{
	CLEANUP(freep) char ***sorted = mem_alloc((c->label_count + 1) * sizeof(*sorted));
	for (size_t i = 0; i < c->label_count; i++)
		sorted[i] = &c->labels[i];
	qsort(sorted, c->label_count, sizeof(*sorted), by_text);
	for (size_t i = 1; i < c->label_count; i++)
		if (strcmp(*sorted[i - 1], *sorted[i]) == 0)
			return err_set(err, ERR_REJECT, 0,
				"%s: labels %zu and %zu are both '%s'; each class needs its own name", name,
				(size_t)(sorted[i - 1] - c->labels) + 1, (size_t)(sorted[i] - c->labels) + 1,
				*sorted[i]);
	return 0;
}

static void add_label(struct card *c, struct slice label)
{
	if ((c->label_count & (c->label_count - 1)) == 0) /* a power of two, or none yet: full */
		c->labels = mem_resize(c->labels, c->label_count ? 2 * c->label_count : 1, sizeof(*c->labels));
	c->labels[c->label_count++] = mem_strndup(label.p, label.len);
}

int labels_parse(const char *name, struct slice text, struct card *c, struct err *err)
{
	for (const char *p = text.p, *end = p + text.len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct slice label = { p, (size_t)((eol ? eol : end) - p) };
		p = eol ? eol + 1 : end;
		if (label.len > 0 && label.p[label.len - 1] == '\r')
			label.len--;
		if (check_label(name, c->label_count + 1, label, err) < 0)
			return -1;
		add_label(c, label);
	}
	if (c->label_count == 0)
		return err_set(err, ERR_REJECT, 0, "%s: no labels; each class needs a name", name);
	return check_different(name, c, err);
}

int labels_load(const char *file, struct card *c, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	if (file_slurp(AT_FDCWD, file, (size_t)LABELS_MAX * (LABEL_BYTES_MAX + 2), &text, err) < 0)
		return err_wrap(err, "labels");
	return labels_parse(file, buf_slice(&text), c, err);
}
