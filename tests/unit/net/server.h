/* server.h - a real HTTP server for tests: loopback sockets, a thread a connection, and a script that may misbehave. */
#ifndef INLET_TESTS_UNIT_NET_SERVER_H
#define INLET_TESTS_UNIT_NET_SERVER_H

#include "daemon/base/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_PEERS 256
#define SERVER_REQUEST_MAX 32768

struct server;
/* One connection, in its own thread. */
struct peer {
	struct server *server;
	pthread_t thread;
	int fd;
	SSL *ssl;
	size_t len;
	char request[SERVER_REQUEST_MAX]; /* head and body of the request being answered, terminated */
};
/* Answers one request; false closes the connection. */
typedef bool script_fn(struct peer *p, const char *path);

struct server {
	script_fn *script;
	_Atomic(void *) arg;      /* for the script */
	SSL_CTX *tls;
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;    /* guards peers and log */
	struct peer *peers[SERVER_PEERS];
	size_t peer_count;       /* connections accepted so far */
	char log[SERVER_REQUEST_MAX]; /* the last request */
	atomic_uint requests;
	atomic_bool stopping;
};

/* What hangs fails; from here on anew. */
static inline void limit_time(void)
{
	(void)alarm(getenv("INLET_SLOW") ? 1800 : 120);
}

/* false: the other side is gone. */
static inline bool peer_write(struct peer *p, const void *bytes, size_t n)
{
	const char *at = bytes;
	while (n > 0) {
		ssize_t done = p->ssl ? SSL_write(p->ssl, at, (int)n) : send(p->fd, at, n, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

static inline bool peer_say(struct peer *p, const char *text)
{
	return peer_write(p, text, strlen(text));
}

/* A whole answer with a length. extra: further headers, each with its line end. */
static inline bool peer_answer(struct peer *p, const char *status, const char *extra, const char *body)
{
	char head[4096];
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, extra, strlen(body));
	bool is_head = strncmp(p->request, "HEAD ", 5) == 0;
	return peer_say(p, head) && (is_head || peer_say(p, body));
}

/* Says text every 20 ms for as long as somebody listens. */
static inline void peer_drip(struct peer *p, const char *text)
{
	const struct timespec gap = { .tv_nsec = 20000000 };
	while (!atomic_load(&p->server->stopping) && peer_say(p, text))
		(void)nanosleep(&gap, NULL);
}

/* Waits until the client has closed. */
static inline void peer_wait(struct peer *p)
{
	char byte;
	while ((p->ssl ? SSL_read(p->ssl, &byte, 1) : recv(p->fd, &byte, 1, 0)) > 0)
		;
}

static inline bool peer_read_more(struct peer *p)
{
	size_t room = sizeof(p->request) - 1 - p->len;
	ssize_t n = p->ssl ? SSL_read(p->ssl, p->request + p->len, (int)room) : recv(p->fd, p->request + p->len, room, 0);
	if (n <= 0)
		return false;
	p->len += (size_t)n;
	p->request[p->len] = '\0';
	return true;
}

static inline bool peer_read_request(struct peer *p)
{
	const char *end;
	p->len = 0;
	p->request[0] = '\0';
	while (!(end = strstr(p->request, "\r\n\r\n"))) {
		if (!peer_read_more(p))
			return false;
	}
	const char *declared = strcasestr(p->request, "\r\nContent-Length:");
	size_t body = declared && declared < end ? strtoul(declared + 17, NULL, 10) : 0;
	while (p->len < (size_t)(end + 4 - p->request) + body) {
		if (!peer_read_more(p))
			return false;
	}
	return true;
}

static inline void *peer_run(void *arg)
{
	struct peer *p = arg;
	struct server *s = p->server;
	while ((!p->ssl || SSL_accept(p->ssl) > 0) && peer_read_request(p)) {
		char path[2048] = "";
		(void)pthread_mutex_lock(&s->lock);
		(void)strcpy(s->log, p->request);
		(void)pthread_mutex_unlock(&s->lock);
		atomic_fetch_add(&s->requests, 1);
		(void)sscanf(p->request, "%*s %2047s", path);
		if (!s->script(p, path))
			break;
	}
	if (p->ssl)
		(void)SSL_shutdown(p->ssl);
	(void)shutdown(p->fd, SHUT_RDWR); /* closed by server_stop() */
	return NULL;
}

static inline void *server_run(void *arg)
{
	struct server *s = arg;
	int fd;
	while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct peer *p = calloc(1, sizeof(*p));
		int on = 1;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		p->server = s;
		p->fd = fd;
		if (s->tls) {
			p->ssl = SSL_new(s->tls);
			(void)SSL_set_fd(p->ssl, fd);
		}
		(void)pthread_mutex_lock(&s->lock);
		s->peers[s->peer_count++ % SERVER_PEERS] = p;
		(void)pthread_create(&p->thread, NULL, peer_run, p);
		(void)pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* On a free port of this loopback address; tls may be NULL (owned then). -1: no socket. */
static inline int server_start(struct server *s, const char *address, script_fn *script, void *arg, SSL_CTX *tls)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	memset(s, 0, sizeof(*s));
	s->script = script;
	s->arg = arg;
	s->tls = tls;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)inet_pton(AF_INET, address, &at.sin_addr);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (const struct sockaddr *)&at, len) < 0 || listen(s->listener, 64) < 0)
		return -1;
	(void)getsockname(s->listener, (struct sockaddr *)&at, &len);
	s->port = ntohs(at.sin_port);
	return pthread_create(&s->thread, NULL, server_run, s) == 0 ? 0 : -1;
}

static inline void server_stop(struct server *s)
{
	atomic_store(&s->stopping, true);
	(void)shutdown(s->listener, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listener);
	for (size_t i = 0; i < s->peer_count && i < SERVER_PEERS; i++) {
		struct peer *p = s->peers[i];
		(void)shutdown(p->fd, SHUT_RDWR);
		(void)pthread_join(p->thread, NULL);
		(void)close(p->fd);
		SSL_free(p->ssl);
		free(p);
	}
	SSL_CTX_free(s->tls);
	(void)pthread_mutex_destroy(&s->lock);
}

static inline size_t server_connections(struct server *s)
{
	(void)pthread_mutex_lock(&s->lock);
	size_t n = s->peer_count;
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

/* The last request has this text in it. */
static inline bool server_saw(struct server *s, const char *text)
{
	(void)pthread_mutex_lock(&s->lock);
	bool seen = strstr(s->log, text) != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return seen;
}

#endif
