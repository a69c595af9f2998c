/* csv.h - records of a CSV text: RFC 4180 whole, any one-byte delimiter, any line end, with the place of each field.
 *
 * Two leniencies, both as spreadsheets and Python have them: a quote inside an unquoted field is a character, and an
 * empty line is no record. A record that breaks the rules is told apart from a good one, and the next begins at the
 * next line end; where a quote never closes, at the line behind the one it opened in. One thread at a time. */
#ifndef INLET_MANIFEST_CSV_H
#define INLET_MANIFEST_CSV_H

#include "daemon/manifest/window.h"

struct csv_field {
	size_t begin, len;     /* in the record's raw text; without the quotes around it */
	bool quoted, doubled;  /* doubled: has "" in it */
};

struct csv_record {
	struct manifest_place at;
	struct slice raw;           /* without the line end */
	const struct slice *fields; /* quotes taken off and undoubled */
	size_t count;
	/* CSV_BAD: */
	struct manifest_place bad_at;
	char reason[160], cure[160];
	bool raw_cut;               /* raw is its beginning only */
};

enum csv_result { CSV_END, CSV_RECORD, CSV_BAD };

struct csv {
	struct window *window;        /* borrowed */
	char delimiter;
	size_t field_max, record_max;
	struct csv_field *parts;      /* of the record being read */
	struct slice *fields;
	size_t count, room;
	struct buf undoubled;
	/* The scan: bit i of `special` says that data[block + i] is a delimiter, a quote or part of a line end and was
	 * not looked at yet. Valid while the window stays. */
	size_t block;
	uint64_t special;
	struct buf kept;              /* raw of a bad record that the window does not hold any more */
};

/* Limits in bytes. Records begin at the window's `at`. */
void csv_init(struct csv *c, struct window *w, char delimiter, size_t field_max, size_t record_max);
void csv_done(struct csv *c);
/* enum csv_result, or -1. What ret points to is valid until the next call. The window's `at` is behind the record. */
int csv_next(struct csv *c, struct csv_record *ret, struct err *err);
/* The window's `at` was moved by somebody else. */
void csv_moved(struct csv *c);
/* Of a byte of the record's raw text. */
struct manifest_place csv_place(const struct csv_record *r, size_t i);
/* Where field i of the last record begins (its quote, if it has one). */
struct manifest_place csv_field_place(const struct csv *c, const struct csv_record *r, size_t i);

#endif
