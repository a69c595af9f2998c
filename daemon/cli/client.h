/* client.h - speaks the HTTP API to the store's owner over its Unix socket. One thread. */
#ifndef INLET_CLI_CLIENT_H
#define INLET_CLI_CLIENT_H

#include "config/config.h"
#include "daemon/base/buf.h"

#include <jansson.h>
#include <sys/types.h>

struct client;

/* Finds the daemon or starts its stand-in (attend.h). */
int client_open(const struct config *c, struct client **ret, struct err *err);
void client_close(struct client *c); /* NULL allowed; lets the stand-in go */
bool client_stand_in(const struct client *c);

/* The body of a good answer, in pieces as they come; -1 stops. */
typedef int client_sink_fn(void *arg, struct slice bytes, struct err *err);
/* body NULL: GET, else POST of this JSON. -1: an error answer (err is its detail; ERR_REJECT for 4xx), no answer or one
 * that was cut off, the sink's own error, or Ctrl-C (sys EINTR). */
int client_request(
	struct client *c, const char *path, const char *body, client_sink_fn *sink, void *arg, struct err *err);
/* The whole answer as one JSON value that the caller owns. */
int client_json(struct client *c, const char *path, const char *body, json_t **ret, struct err *err);
/* Each line of an answer as a JSON object, borrowed for the call. */
typedef int client_line_fn(void *arg, const json_t *line, struct err *err);
int client_lines(struct client *c, const char *path, const char *body, client_line_fn *fn, void *arg, struct err *err);
/* POST of bytes that come piece by piece: gives up to n of them, 0 at the end, -1. The answer as client_json(). */
typedef ssize_t client_source_fn(void *arg, void *p, size_t n, struct err *err);
int client_upload(struct client *c, const char *path, client_source_fn *source, void *arg, json_t **ret, struct err *err);
/* A trailer of the last answer, NULL: it had none. Valid until the next request. */
const char *client_trailer(const struct client *c, const char *name);
/* The HTTP status of the last answer; 0: there was none. */
long client_status(const struct client *c);
/* The media type of the answer that a sink is getting. */
const char *client_type(const struct client *c);

/* While a request waits for its answer, the status is asked for in between, four times a second at most, and handed to
 * fn; NULL ends that. */
typedef void client_watch_fn(void *arg, const json_t *status);
void client_watch(struct client *c, client_watch_fn *fn, void *arg);

/* Append "?name=value" or "&name=value", percent-encoded; nothing when value is NULL. */
void client_query(struct buf *path, const char *name, const char *value);

#endif
