/* export.h - the dataset as files: JSON lines and COCO. Pure writers: items come in, text goes out; knows nothing of the
 * store. */
#ifndef INLET_EXPORT_EXPORT_H
#define INLET_EXPORT_EXPORT_H

#include "daemon/base/buf.h"
#include "daemon/base/json.h"
#include "daemon/model/item.h"

#include <stdbool.h>

/* An item with all that readers want of it; arrays borrowed. */
struct item_full {
	struct item item;
	const struct reference *references;
	size_t reference_count;
	const struct annotation *annotations;
	size_t annotation_count;
};

/* The contract line of `items --json`: {"id","sha256","media_type","bytes","width"?,"height"?,"state","references":[…],
 * "annotations":[…]}, no newline. Deterministic. */
void item_json(const struct item_full *it, struct buf *to);
/* Its parts, for `show`: the same members plus facts, gone references, superseded annotations, runs. */
void annotation_json(const struct annotation *a, const struct reference *refs, size_t ref_count, struct json *j, bool history);

enum export_format { EXPORT_JSONL, EXPORT_COCO };
enum export_by { EXPORT_BY_ITEM, EXPORT_BY_REFERENCE };
struct exporter;
/* sink takes text as it comes; -1 stops the export. Only ANNOTATION_SUCCESS annotations are exported unless with_review. */
typedef int export_sink_fn(void *arg, struct slice text, struct err *err);
struct exporter *exporter_new(enum export_format f, enum export_by by, bool with_review, export_sink_fn *sink, void *arg);
int exporter_add(struct exporter *x, const struct item_full *it, struct err *err); /* items in id order */
int exporter_end(struct exporter *x, struct err *err);
void exporter_free(struct exporter *x); /* NULL allowed */

#endif
