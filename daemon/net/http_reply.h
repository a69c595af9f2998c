/* http_reply.h - what an answer's head says, read into struct http_reply; the rest of its functions: http.h. */
#ifndef INLET_NET_HTTP_REPLY_H
#define INLET_NET_HTTP_REPLY_H

#include "daemon/net/http.h"

/* headers and status are there: fills length, wait_ms and date_ms. */
void http_reply_read_head(struct http_reply *r);
/* "GET host/path", and where r was redirected ", redirected to host/path": what messages begin with. */
void http_reply_describe(const struct http_request *q, const struct http_reply *r, char *ret_text, size_t size);

#endif
