/* http_lane.h - kept connections: a lane is an easy handle with a connection of its own, and the pool keeps lanes apart by
 * origin, so that a request finds the connection that is open already. */
#ifndef INLET_NET_HTTP_LANE_H
#define INLET_NET_HTTP_LANE_H

#include "daemon/net/url.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/socket.h>

/* One connection at most: the cache of `multi` holds one. Of one thread while it is taken. */
struct http_lane {
	CURLM *multi;
	CURL *easy;
	char *in;                /* of http_lean_run(): what has come; NULL: none yet */
	bool connected;          /* the easy handle is in `multi` and holds an open connection for http_lean_run() */
	curl_socket_t fd;        /* likewise: of that connection, and who is at its other end */
	struct sockaddr_storage peer;
	bool reusable;           /* likewise: what it answered last is whole */
	struct url origin;       /* scheme, host and port of the last request; its target is not kept */
	struct http_lane *next;  /* in the pool: used longer ago */
};
/* Idle lanes, the last used first. */
struct http_pool {
	pthread_mutex_t lock;    /* guards what follows */
	struct http_lane *idle;
	size_t count, limit;
};

void http_pool_init(struct http_pool *p, size_t limit);
void http_pool_done(struct http_pool *p);  /* no lane may be taken */
/* One that is connected to this origin, else a new one or the one that was idle longest. Any thread, never blocks on others'
 * requests. The easy handle has no options set, or the lane is connected, to this origin. */
struct http_lane *http_pool_take(struct http_pool *p, const struct url *origin);
void http_pool_give(struct http_pool *p, struct http_lane *l);
void http_lane_drop(struct http_lane *l); /* closes what is connected; the easy handle has no options set then */

#endif
