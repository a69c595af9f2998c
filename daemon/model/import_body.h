/* import_body.h - what a row of a manifest says of its object, and where a row that failed or has a URL stands: the JSON objects that
 * the log carries, the client sends and readers are shown.
 *
 *   {"at":"path","where":"cats/a.jpg","media":"image","split":"train","metadata":{…},"unreadable":"{'a': b}",
 *    "attributes":{…},"labels":[…]}
 *   {"column":7,"offset":120,"retry":true,"values":{…},"raw":"a,b,c","cut":true,"url":"https://…",
 *    "more":[{"line":3,"column":7,…},…]} */
#ifndef INLET_MODEL_IMPORT_BODY_H
#define INLET_MODEL_IMPORT_BODY_H

#include "daemon/model/label.h"

struct import_body {
	struct slice at;           /* "text", "path", "url", "s3", "gs": where the bytes of the row are; BODY_DIRECTORY,
	                            * BODY_SIDECAR: no row, but what a source says of its object: by its folder, by its sidecar */
	struct slice where;        /* path or URL; of a sidecar its key; empty for text */
	struct slice media, split; /* as the row says; may be empty */
	struct slice metadata;     /* JSON object; may be empty */
	struct slice unreadable;   /* metadata that is not one, as received; may be empty */
	struct slice attributes;   /* JSON object: what the format says of the row beyond (daemon/manifest/row.h); may be empty */
	struct slice labels;       /* a JSON list (label.h); empty: none */
};
#define BODY_DIRECTORY "directory"
#define BODY_SIDECAR "sidecar"
#define IMPORT_BODY_MAX (512U << 10) /* bytes of one as it is kept: with the rest of its line it must fit into one of the log */
bool import_body_is(struct slice body, const char *at); /* of a body as it is kept */
/* Slices live until import_body_done(). ERR_REJECT: not a body. Its labels are not looked at. */
int import_body_read(struct slice text, struct reader *r, struct import_body *ret, struct err *err);
/* Checks all of a body, labels included, and writes it as it is compared and kept: one spelling of what means the same. */
int import_body_write(struct slice text, struct buf *to, struct err *err);

struct import_failure {
	uint64_t column, offset;   /* offset: in the text of the manifest (daemon/manifest/row.h) */
	bool retry;                /* the same row may be good when it is imported again */
	struct slice values;       /* JSON object: the row's own values; may be empty */
	struct slice raw;          /* its own text */
	bool cut;                  /* raw is not all of it */
	struct slice url;          /* where its bytes are fetched, signature and all; may be empty */
	uint64_t line;             /* of one in a list `more`; else 0 */
	struct slice more;         /* a JSON list of such objects: further rows of a list that are one row to the store; may be empty */
};
#define IMPORT_FAILURE_MAX (256U << 10) /* bytes of one as it is kept */
int import_failure_read(struct slice text, struct reader *r, struct import_failure *ret, struct err *err);
int import_failure_write(struct slice text, struct buf *to, struct err *err); /* as import_body_write() */
void import_failure_put(struct json *j, const char *name, const struct import_failure *f);
/* The next one of a list `more`, which *list moves past; r is to be done when it was given. False: there is none. */
bool import_failure_next(struct slice *list, struct reader *r, struct import_failure *ret);

#endif
