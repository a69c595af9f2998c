/* routes.h - the table of what the API answers: method, path, what it understands, and the function that does it. */
#ifndef INLET_API_ROUTES_H
#define INLET_API_ROUTES_H

#include "daemon/api/reply.h"

#define ROUTE_NAMES_MAX 9
struct route {
	const char *method, *path;             /* path: "#" is an ID */
	struct reply (*answer)(struct request *r);
	const char *const names[ROUTE_NAMES_MAX]; /* query parameters (GET) or members of the body (POST) */
};

/* The route of a request and its ID into *ret_item; NULL with *ret_allowed: NULL no such path, else the methods it
 * takes. */
const struct route *route_find(const char *method, const char *path, uint64_t *ret_item, const char **ret_allowed);

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
/* routes_work.c */
struct reply failures_answer(struct request *r);
struct reply retry_answer(struct request *r);
struct reply relabel_answer(struct request *r);
struct reply sync_answer(struct request *r);
struct reply wait_answer(struct request *r);
struct reply pause_answer(struct request *r);
struct reply resume_answer(struct request *r);
/* routes_export.c */
struct reply export_answer(struct request *r);
struct reply verify_answer(struct request *r);

#endif
