/* values.h - JSON values one after the other, of any number of them, one in memory: lines, the elements of a list, or
 * values that follow each other. Only where a value ends is found here; dom.h says whether it is JSON.
 *
 * Where that cannot be found (a string that is not closed, brackets that do not match, a value that is too long) the value
 * is bad. A line goes on at the next; elsewhere the next value is taken to begin with the next line that opens a bracket
 * in the same column. One thread at a time. */
#ifndef INLET_MANIFEST_VALUES_H
#define INLET_MANIFEST_VALUES_H

#include "daemon/manifest/window.h"

enum values_layout { VALUES_LINES, VALUES_LIST, VALUES_RUN };
enum values_result { VALUES_END, VALUES_ONE, VALUES_BAD };

struct values {
	struct window *window;      /* borrowed */
	enum values_layout layout;
	size_t max;                 /* bytes of a value */
	bool inside;                /* LIST: behind its opening bracket */
	bool finished;              /* LIST: behind its closing bracket */
	struct buf kept;            /* of a value that is too long */
};

struct value {
	struct manifest_place at;
	struct slice text;          /* valid until the next; of a bad one what was passed over, or its beginning */
	bool cut;
	bool too_long;              /* bad for its length alone: what follows is not in doubt */
	struct manifest_place bad_at;
	const char *reason, *cure;
};

/* LIST: at its opening bracket, or within the list (a resumed reader's). */
void values_init(struct values *v, struct window *w, enum values_layout layout, size_t max);
void values_done(struct values *v);
/* enum values_result or -1: ERR_REJECT also where the text ends within a list. */
int values_next(struct values *v, struct value *ret, struct err *err);
/* Passes over one value of any size without holding it: 1, 0 there is none, -1. */
int values_skip(struct values *v, struct err *err);
/* The next byte that is no blank, not taken; '\0' at the end. -1. */
int values_peek(struct values *v, char *ret, struct err *err);

#endif
