/* line.h - lines of the text, LF or CRLF, the last one with or without. One thread at a time. */
#ifndef INLET_MANIFEST_LINE_H
#define INLET_MANIFEST_LINE_H

#include "daemon/manifest/window.h"

struct line {
	struct manifest_place at;
	struct slice text;      /* without its end; valid until the window moves */
	bool cut;               /* longer than allowed: text is its beginning, the rest was skipped */
};

/* 1, 0 at the end, -1. kept holds the beginning of a line that was cut. */
int line_next(struct window *w, size_t max, struct buf *kept, struct line *ret, struct err *err);

#endif
