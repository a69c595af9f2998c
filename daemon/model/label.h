/* label.h - a label as an import brought it: one object in the list of a row's body (import_body.h).
 *
 *   {"concept":"cat","confidence":0.93,"status":"ANNOTATION_SUCCESS","maker":"human","worker":"ann@example.org",
 *    "geometry":{…},"attributes":{…}}
 *
 * Geometry is as received: daemon/manifest/row.h shows its form. */
#ifndef INLET_MODEL_LABEL_H
#define INLET_MODEL_LABEL_H

#include "daemon/base/err.h"
#include "daemon/base/json.h"
#include "daemon/model/reader.h"
#include "daemon/model/state.h"

struct label {
	struct slice concept;
	double confidence;             /* < 0: none */
	enum annotation_status status;
	enum annotation_maker maker;
	struct slice worker;           /* who or which model, as received; may be empty */
	struct slice geometry;         /* JSON object; empty: the whole item */
	struct slice attributes;       /* JSON object, what the format says beyond; may be empty */
};

void label_put(struct json *j, const struct label *l);

/* Walks a list of labels, the text of a JSON array. { .rest = list } begins it, label_walk_done() ends it. ret's slices live
 * until the next step. 1, 0 at the end, -1 ERR_REJECT: an element is not a label. */
struct label_walk {
	struct slice rest;
	struct reader reader;
};
int label_next(struct label_walk *w, struct label *ret, struct err *err);
void label_walk_done(struct label_walk *w);

#endif
