/* table.h - a manifest that is a CSV: its header, and records that have as many fields. */
#ifndef INLET_MANIFEST_TABLE_H
#define INLET_MANIFEST_TABLE_H

#include "daemon/base/json.h"
#include "daemon/manifest/csv.h"

#define MANIFEST_COLUMNS_MAX 4096U
#define MANIFEST_COLUMNS_SNIFFED 64U

struct manifest;

struct table {
	struct csv csv;
	struct csv_record record;    /* the row given last */
	struct slice *names;         /* [width]: the header's, unique; into name_text */
	size_t width;                /* 0: no header, and rows have any number of fields */
	struct buf name_text;
	struct buf header;           /* raw, with a line end */
};

/* A row of a table: enum draft_result. */
typedef int table_row_fn(struct manifest *m, const struct csv_record *r);

/* The delimiter that the first record has most of: ',', ';', tab or '|'. */
char table_delimiter(struct slice head);
int table_open(struct manifest *m, char delimiter, bool has_header, struct err *err);
void table_done(struct table *t);
/* Index of the column, or -1. Of columns with one name the second is called "NAME (2)". */
ptrdiff_t table_column(const struct table *t, const char *name);
/* The next record, made into a row by `row`: as format.next. */
int table_next(struct manifest *m, table_row_fn *row, struct err *err);
struct manifest_place table_place(const struct manifest *m, size_t column);
/* For struct format. */
void table_describe(const struct manifest *m, struct buf *to);
int table_header(const struct manifest *m, struct slice *ret);
bool table_values(const struct manifest *m, struct json *j);

#endif
