/* sorter.h - more records than fit in memory, put in the order of their keys by way of a file: runs that are sorted in
 * memory, merged when read. Memory: one run, later a little of each. One thread at a time. */
#ifndef INLET_MANIFEST_SORTER_H
#define INLET_MANIFEST_SORTER_H

#include "daemon/manifest/row.h"

struct sorter_record {
	struct slice key;            /* shorter keys first: numbers come in their order */
	uint32_t kind;               /* within a key */
	struct manifest_place at;    /* within a kind by offset */
	const char *reason, *cure;   /* of this process: literals, NULL allowed */
	struct slice text;
};

struct sorter;

struct sorter *sorter_new(int fd);      /* borrowed: a file for reading and writing that nobody else uses */
void sorter_free(struct sorter *s);     /* NULL allowed */
int sorter_add(struct sorter *s, const struct sorter_record *r, struct err *err);
/* After the last sorter_add(): the next record is known to sorter_peek(). */
int sorter_finish(struct sorter *s, struct err *err);
/* The next record, NULL: there is none; valid until sorter_pop(). */
const struct sorter_record *sorter_peek(const struct sorter *s);
int sorter_pop(struct sorter *s, struct err *err);

#endif
