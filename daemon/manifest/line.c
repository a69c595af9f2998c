/* line.c - one line after the other. */
#include "daemon/manifest/line.h"

#define KEPT 4096U

static void end_line(struct window *w, size_t next)
{
	w->at = next;
	w->line++;
	w->line_offset = window_offset(w);
}

/* The rest of an endless line passes by. */
static int skip(struct window *w, struct buf *kept, struct line *l, struct err *err)
{
	size_t left = window_left(w);
	kept->len = 0;
	buf_add(kept, w->data + w->at, left < KEPT ? left : KEPT);
	l->text = buf_slice(kept);
	l->cut = true;
	for (;;) {
		const char *lf = memchr(w->data + w->at, '\n', window_left(w));
		if (lf) {
			end_line(w, (size_t)(lf - w->data) + 1);
			return 1;
		}
		w->at = w->end;
		int more = window_more(w, err);
		if (more <= 0)
			return more < 0 ? -1 : 1;
	}
}

int line_next(struct window *w, size_t max, struct buf *kept, struct line *ret, struct err *err)
{
	size_t known = 0;
	const char *lf = NULL;
	for (;;) {
		lf = memchr(w->data + w->at + known, '\n', window_left(w) - known);
		if (lf || w->ended)
			break;
		known = window_left(w);
		if (known > max)
			break;
		if (window_more(w, err) < 0)
			return -1;
	}
	*ret = (struct line){ .at = { w->line, window_offset(w) - w->line_offset + 1, window_offset(w) } };
	if (!lf && window_left(w) == 0)
		return 0;
	size_t len = lf ? (size_t)(lf - w->data) - w->at : window_left(w);
	if (len > max)
		return skip(w, kept, ret, err);
	ret->text = (struct slice){ w->data + w->at, len };
	if (lf && len && ret->text.p[len - 1] == '\r')
		ret->text.len--;
	if (lf)
		end_line(w, w->at + len + 1);
	else
		w->at = w->end;
	return 1;
}
