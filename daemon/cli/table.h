/* table.h - aligned columns for people. The first rows decide the widths, so that a table of a million rows streams. */
#ifndef INLET_CLI_TABLE_H
#define INLET_CLI_TABLE_H

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"

#include <stdbool.h>

#define TABLE_COLUMNS_MAX 12
#define TABLE_HELD_ROWS 200 /* are measured before the first is written */
#define TABLE_WIDTH_MAX 100 /* of a column: a longer cell is written whole, and moves its own line only */

struct table;
typedef int table_sink_fn(void *arg, struct slice text, struct err *err);

/* titles ends with NULL; one that begins with '>' is of a right-aligned column. Borrowed. */
struct table *table_new(const char *const *titles, bool color, table_sink_fn *sink, void *arg);
void table_free(struct table *t);                                           /* NULL allowed */
CLEANUP_FN(struct table *, table_free)
/* One cell a title, copied; control characters and broken UTF-8 are shown as \xNN: file names cannot drive a terminal.
 */
int table_row(struct table *t, const struct slice *cells, struct err *err);
int table_end(struct table *t, struct err *err); /* writes what is held; titles only with rows */

#endif
