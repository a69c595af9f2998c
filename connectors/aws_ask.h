/* aws_ask.h - one HTTP request to a place that gives out credentials, over a client of its own. */
#ifndef INLET_CONNECTORS_AWS_ASK_H
#define INLET_CONNECTORS_AWS_ASK_H

#include "daemon/net/http.h"

struct aws_ask {
	struct http_request request;
	const char *ca_file, *proxy;    /* NULL: the system's; none */
	uint32_t connect_ms;
	const atomic_bool *stopping;
};
/* As http_send(). The endpoint is named by the user or by AWS's documents: that is its permission, whatever it resolves to. No
 * redirects. *ret needs aws_ask_done(). */
int aws_ask(const struct aws_ask *a, struct http_reply *ret, struct err *err);
void aws_ask_done(struct http_reply *r); /* wipes the body */

#endif
