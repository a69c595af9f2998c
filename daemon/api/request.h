/* request.h - one HTTP request, checked: path, query and body are read here only. Knows nothing of sockets. */
#ifndef INLET_API_REQUEST_H
#define INLET_API_REQUEST_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REQUEST_BODY_MAX (64U << 10)
#define REQUEST_IMPORT_MAX (2U << 20) /* of the beginning and the end of an import: header and attributes, as JSON strings */
#define REQUEST_QUERY_MAX 16 /* parameters of one query */
#define PAGE_LIMIT_MAX 10000

struct pipeline;
struct json_t; /* jansson.h is for request.c alone */

/* Requests that run now, and the wish to end: server_stop() waits for the one and sets the other. */
struct gate {
	_Atomic int running;
	_Atomic bool stopping;
};
struct query_param {
	const char *name, *value; /* value NULL: "?name" alone */
};
struct request {
	struct pipeline *pipeline;
	struct gate *gate;
	const char *user;          /* "user:NAME" of the peer */
	const char *if_none_match; /* NULL: not sent */
	uint64_t item;             /* of a path with an ID */
	struct query_param query[REQUEST_QUERY_MAX];
	size_t query_count;
	struct json_t *body;       /* POST: an object; else NULL */
};

/* Does path fit pattern, where "#" stands for a decimal number > 0 (into *ret_id)? */
bool path_match(const char *pattern, const char *path, uint64_t *ret_id);

/* The body as an object; an empty body is {}. ERR_REJECT: not JSON (with line and column), or not an object. */
int body_parse(struct slice text, struct json_t **ret, struct err *err);
void body_free(struct json_t *body); /* NULL allowed */

/* Refuse parameters and members that the route does not know: a typing error must not silently change the meaning.
 * known ends with NULL. ERR_REJECT with "did you mean". */
int request_check(const struct request *r, const char *const *known, struct err *err);

/* Query parameters; absent leaves *ret as it is. ERR_REJECT names the parameter and what it takes. */
const char *query_get(const struct request *r, const char *name); /* NULL: absent */
int query_u64(const struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);
int query_bool(const struct request *r, const char *name, bool *ret, struct err *err);
/* One of choices (ends with NULL), into its index. */
int query_choice(const struct request *r, const char *name, const char *const *choices, int *ret, struct err *err);

/* Members of the body; absent leaves *ret as it is. A string's slice lives as long as the request. */
int body_str(const struct request *r, const char *name, struct slice *ret, struct err *err);
int body_bool(const struct request *r, const char *name, bool *ret, struct err *err);
int body_u64(const struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret, struct err *err);

/* Does an If-None-Match header (a list of tags, or "*") name this strong tag ("\"…\"")? */
bool etag_match(const char *header, const char *etag);

#endif
