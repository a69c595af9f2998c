/* routes.h - the table of what the API answers: method, path, what it understands, and the function that does it. */
#ifndef INLET_API_ROUTES_H
#define INLET_API_ROUTES_H

#include "daemon/api/reply.h"
#include "daemon/base/json.h"

/* A body of any length that is taken while it comes, by a request whose peer was checked. Either finish() or drop() ends it.
 * All are called by the connection's thread; take() may block. */
struct upload_ops {
	void *(*open)(const struct request *r);
	void (*take)(void *upload, struct slice bytes);
	struct reply (*finish)(void *upload);
	void (*drop)(void *upload);
};

#define ROUTE_NAMES_MAX 9
struct route {
	const char *method, *path;             /* path: "#" is an ID */
	struct reply (*answer)(struct request *r);
	const char *const names[ROUTE_NAMES_MAX]; /* query parameters (GET) or members of the body (POST) */
};

/* The route of a request and its ID into *ret_item; NULL with *ret_allowed: NULL no such path, else the methods it
 * takes. */
const struct route *route_find(const char *method, const char *path, uint64_t *ret_item, const char **ret_allowed);

/* How the body of such a request is taken while it comes, before its route answers; NULL: it is gathered. */
const struct upload_ops *route_upload(const char *method, const char *path, uint64_t *ret_item);
/* Bytes of a body that is gathered. */
size_t route_body_max(const char *method, const char *path);

/* routes_status.c */
struct reply status_answer(struct request *r);
struct reply doctor_answer(struct request *r);
struct reply livez_answer(struct request *r);
struct reply readyz_answer(struct request *r);
/* metrics.c */
struct reply metrics_answer(struct request *r);
/* routes_items.c */
struct reply items_answer(struct request *r);
struct reply item_answer(struct request *r);
struct reply content_answer(struct request *r);
struct reply accept_answer(struct request *r);
struct reply reject_answer(struct request *r);
struct reply label_answer(struct request *r);
/* routes_failures.c */
/* The trailer of a list of failed rows: the import that takes them when they are mended, 0: none does; and how many are not in the
 * list, for only their beginning is kept. */
#define FAILURES_INTO "Inlet-Mend-Into"
struct reply failures_answer(struct request *r);
/* routes_work.c */
struct reply retry_answer(struct request *r);
struct reply relabel_answer(struct request *r);
struct reply sync_answer(struct request *r);
struct reply wait_answer(struct request *r);
/* Adds to j whether all work is done, and the counts; first waits for it when told to (timeout_ms 0: for ever). -1: something
 * fatal happened. */
int outcome_json(struct pipeline *p, bool wait, uint64_t timeout_ms, struct json *j, struct err *err);
struct reply pause_answer(struct request *r);
struct reply resume_answer(struct request *r);
/* routes_import.c */
struct reply import_begin_answer(struct request *r);
struct reply import_rows_answer(struct request *r); /* of one that was not taken as an upload */
struct reply import_settle_answer(struct request *r);
struct reply import_end_answer(struct request *r);
extern const struct upload_ops import_rows;
/* routes_export.c */
struct reply export_answer(struct request *r);
struct reply verify_answer(struct request *r);

#endif
