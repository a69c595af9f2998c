/* format_urls.c - one URL or path a line; empty lines and lines that begin with '#' are no rows. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/line.h"
#include "daemon/manifest/mapped.h"

#include <stdlib.h>

struct urls {
	struct buf kept;     /* of a line that is too long */
	struct slice line;   /* the row given last */
};

static int urls_open(struct manifest *m, struct err *err)
{
	(void)err;
	m->state = mem_zero(1, sizeof(struct urls));
	return 0;
}

static int urls_next(struct manifest *m, struct err *err)
{
	struct urls *u = m->state;
	struct draft *d = &m->draft;
	struct line l;
	int got = line_next(&m->window, m->o.field_max, &u->kept, &l, err);
	if (got <= 0)
		return got;
	u->line = l.text;
	struct slice value = slice_trim(l.text);
	if (value.len == 0 || *value.p == '#')
		return DRAFT_SKIP;
	draft_begin(d, l.at, l.text);
	if (l.cut) {
		(void)draft_fail(d, l.at, "is this a list of URLs?", "the line is longer than %zu bytes", m->o.field_max);
		d->failure.raw_cut = true;
		return DRAFT_FAILED;
	}
	if (memchr(value.p, '\0', value.len))
		return draft_fail(d, l.at, NULL, "there is a NUL byte");
	if (!text_is_utf8(value))
		return draft_fail(d, l.at, "save the file as UTF-8", "the line is not UTF-8");
	if (draft_content(d, value, INPUT_FILE_PATH, l.at) == DRAFT_FAILED)
		return DRAFT_FAILED;
	return draft_finish(d);
}

static bool urls_values(const struct manifest *m, struct json *j)
{
	const struct urls *u = m->state;
	if (!u->line.p || !text_is_utf8(u->line))
		return false;
	json_open(j, NULL, '{');
	json_str(j, "input", u->line);
	json_close(j, '}');
	return true;
}

static void urls_close(struct manifest *m)
{
	struct urls *u = m->state;
	buf_done(&u->kept);
	free(u);
}

const struct format manifest_urls = { .title = "list of URLs", .open = urls_open, .next = urls_next,
	.values = urls_values, .close = urls_close };
