/* format.h - what a manifest format provides, and a reader as formats see it; seen only by daemon/manifest.
 *
 * A format is a row of the table in manifest.c. Most are a carrier (table.h: CSV; values.h: JSON) and one function that
 * makes a row of what the carrier gives. */
#ifndef INLET_MANIFEST_FORMAT_H
#define INLET_MANIFEST_FORMAT_H

#include "daemon/manifest/dom.h"
#include "daemon/manifest/draft.h"
#include "daemon/manifest/table.h"
#include "daemon/manifest/values.h"

#define MANIFEST_FIELD_MAX (1U << 20)
#define MANIFEST_RECORD_MAX (16U << 20)
#define MANIFEST_TEXT_MAX (1ULL << 40)
#define MANIFEST_HEAD_MIN (64U << 10) /* of text that is looked at to recognise the format, as far as there is any */
#define MANIFEST_HEAD_MAX (1U << 20)

struct format {
	const char *title;       /* for people */
	/* The window is at the first byte: reads what comes before the rows. */
	int (*open)(struct manifest *m, struct err *err);
	/* enum draft_result, 0 at the end, -1. The draft is the result. */
	int (*next)(struct manifest *m, struct err *err);
	void (*describe)(const struct manifest *m, struct buf *to); /* appends ", …"; NULL: nothing to add */
	/* manifest_header(); NULL: nothing goes before the rows. */
	int (*header)(const struct manifest *m, struct slice *ret);
	struct slice (*attributes)(const struct manifest *m);       /* manifest_attributes(); NULL: there are none */
	/* manifest_values() of the row given last; false, or NULL: it is not known in parts. */
	bool (*values)(const struct manifest *m, struct json *j);
	/* Goes to o.from, of which the format knows more than a byte of the text; NULL: the frame does it. */
	int (*resume)(struct manifest *m, struct err *err);
	void (*close)(struct manifest *m);                          /* frees state; NULL: there is none */
};

struct manifest {
	struct manifest_options o;
	char *name;                  /* owned; o.name */
	enum manifest_format id;
	const struct format *format;
	struct window window;
	struct draft draft;
	struct table table;          /* CSV formats */
	struct values values;        /* JSON formats */
	struct value value;
	struct dom dom;             /* JSON formats: the row; others: scratch */
	void *state;                 /* the format's own */
	uint64_t rows;               /* given so far */
	struct err broken;           /* class set: the rest cannot be read */
};

#endif
