/* http_easy.h - a transfer's side of libcurl: shared by those that libcurl does and those that it only connects for. Inside the
 * HTTP client only. */
#ifndef INLET_NET_HTTP_EASY_H
#define INLET_NET_HTTP_EASY_H

#include "daemon/net/http_transfer.h"

/* All that the rules and the request say, but for the guard's own (guard_apply()). Into t->easy, which has none set. */
void http_easy_options(struct transfer *t);
/* Adds t->easy to multi and runs it until libcurl is done or a limit is reached (t->failed). It stays added. */
CURLcode http_easy_drive(struct transfer *t, CURLM *multi);
/* What libcurl's code means for a transfer that brought no answer; nothing where t has failed already. Returns -1. */
int http_easy_fail(struct transfer *t, CURLcode code);

#endif
