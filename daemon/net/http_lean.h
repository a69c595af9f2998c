/* http_lean.h - a GET or HEAD over a connection that libcurl makes and we speak on: for many small answers, where composing a
 * request and reading its head is most of what libcurl does. Name, proxy-less connection, TLS and its checks are libcurl's; the
 * guard judges the socket before it connects and its peer before each further request, as in guard.h. Inside the HTTP client only. */
#ifndef INLET_NET_HTTP_LEAN_H
#define INLET_NET_HTTP_LEAN_H

#include "daemon/net/http_transfer.h"

bool http_lean_can(const struct http_hop *hop);
/* 0: the answer is in t->reply; -1: t->failed. The lane stays connected where another request may follow. */
int http_lean_run(struct transfer *t, struct http_lane *lane);

#endif
