/* draft.h - a row while a format makes it: the row, its labels and warnings, or why there is none. One a reader, used
 * for every row anew. */
#ifndef INLET_MANIFEST_DRAFT_H
#define INLET_MANIFEST_DRAFT_H

#include "daemon/base/buf.h"
#include "daemon/manifest/arena.h"
#include "daemon/manifest/manifest.h"

enum draft_result { DRAFT_ROW = 1, DRAFT_FAILED = 2, DRAFT_SKIP = 3 }; /* as manifest_next(); SKIP: this was no row */

struct draft {
	struct manifest_row row;          /* labels and warnings are filled in by draft_finish() */
	struct manifest_failure failure;
	struct arena arena;               /* of what row and failure point to */
	struct manifest_label *labels;
	size_t label_count, label_room;
	struct slice warnings[8];         /* a row with more has the last one say so */
	size_t warning_count;
	struct buf text;                  /* scratch: whoever fills it copies it to the arena */
};

void draft_begin(struct draft *d, struct manifest_place at, struct slice raw);
void draft_done(struct draft *d);
/* A label of the whole item without a confidence, by somebody unknown, STATUS_SUCCESS; valid until the next is made. */
struct manifest_label *draft_label(struct draft *d, struct slice concept);
void draft_warn(struct draft *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The row cannot be used: returns DRAFT_FAILED. cure may be NULL. */
int draft_fail(struct draft *d, struct manifest_place at, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The scratch text as the arena's. */
struct slice draft_take(struct draft *d);
/* The row says where its bytes are and what it is known by: DRAFT_ROW, or DRAFT_FAILED where it does not. */
int draft_finish(struct draft *d);

/* The row's content is what value refers to; by `input` also raw text. An own id, set before or after, is the identity;
 * else the content is. DRAFT_FAILED: it refers to what cannot be fetched; `at` is the value's place. */
int draft_content(struct draft *d, struct slice value, enum manifest_input input, struct manifest_place at);
void draft_text(struct draft *d, struct slice text);
void draft_id(struct draft *d, struct slice id);

/* One name or value as people can read it within a sentence: printable, at most 60 bytes. */
const char *draft_show(struct draft *d, struct slice s);

#endif
