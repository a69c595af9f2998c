/* google_wire.h - one question to a token endpoint: nothing but that endpoint may be reached, and no answer is shown as it is. */
#ifndef INLET_CONNECTORS_GOOGLE_WIRE_H
#define INLET_CONNECTORS_GOOGLE_WIRE_H

#include "connectors/google_auth.h"

#include <jansson.h>

enum google_place {
	GOOGLE_ISSUER,   /* https, or http to this host itself */
	GOOGLE_LOCAL,    /* a subject token source: http too; no proxy, and 3 s to connect */
	GOOGLE_METADATA_SERVER, /* the same, and it must say that it is Google's */
};
struct google_question {
	enum google_place place;
	const char *what;            /* for messages: "the token endpoint" */
	const char *method;          /* NULL: GET, or POST with a body */
	const char *url;
	const char *const *headers;  /* NULL-terminated; NULL: none */
	struct slice body;           /* POST when p is not NULL */
};

/* *ret_body: what a 2xx answer says, for buf_wipe(). ERR_RETRY always: the endpoint may be mended, and so may the file. The text has
 * the server's error code and description without their long words: these could be secrets. */
int google_ask(const struct google_rules *rules, const struct google_question *q, struct buf *ret_body, struct err *err);
/* An answer as a JSON object, for google_json_wipe(). NULL: it is none. */
json_t *google_answer(const char *what, struct slice body, struct err *err);

/* "name=value" of application/x-www-form-urlencoded, with '&' in front where something is there. */
void google_form(struct buf *to, const char *name, const char *value);

#endif
