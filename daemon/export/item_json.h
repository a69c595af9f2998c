/* item_json.h - an item as the line that scripts rely on, and its parts. Pure functions, any thread. */
#ifndef INLET_EXPORT_ITEM_JSON_H
#define INLET_EXPORT_ITEM_JSON_H

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
	/* What rows of manifests say of the references, in their order: split, metadata, and what their formats say beyond
	 * (daemon/model/import_body.h). Only for exports and `show`. */
	const struct import_row *rows;
	size_t row_count;
	/* Of these, what their sources say of them, by folder and sidecar: rows of no import. The exporter parts the two: a format
	 * finds only rows of manifests in `rows`. */
	const struct import_row *own;
	size_t own_count;
};

/* The contract line of `items --json`: {"id","sha256","media_type","bytes","width"?,"height"?,"state","references":[…],
 * "annotations":[…]}, no newline. Deterministic. A media type not known yet reads "application/octet-stream"; a label
 * without a confidence (a person's) has "confidence":null. */
void item_json(const struct item_full *it, struct buf *to);
/* Its parts, for `show`: the same members into an open object. With history also: each reference's state, and of each
 * annotation n, time, since, until and geometry. */
void item_members_json(const struct item_full *it, struct json *j, bool history);
void annotation_json(
	const struct annotation *a, const struct reference *refs, size_t ref_count, struct json *j, bool history);
/* "name":"2026-11-23T23:59:59Z": UTC, whole seconds, so that jq and everything else can read it. */
void time_json(struct json *j, const char *name, int64_t wall_ms);

#endif
