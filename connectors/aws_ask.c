/* aws_ask.c - a guard that allows this one endpoint, a client, one request. */
#include "connectors/aws_ask.h"

int aws_ask(const struct aws_ask *a, struct http_reply *ret, struct err *err)
{
	struct guard *guard = guard_new();
	int rc = guard_allow_endpoint(guard, a->request.url, err);
	*ret = (struct http_reply){ 0 };
	if (rc == 0) {
		struct http *http = http_new(&(struct http_rules){ .guard = guard, .ca_file = a->ca_file, .proxy = a->proxy,
			.connect_ms = a->connect_ms, .connections = 1, .stopping = a->stopping });
		rc = http_send(http, &a->request, ret, err);
		http_free(http);
	}
	guard_free(guard);
	return rc;
}

void aws_ask_done(struct http_reply *r)
{
	buf_wipe(&r->body);
	http_reply_done(r);
}
