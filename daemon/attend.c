/* attend.c - counts the clients that a stand-in serves. */
#include "daemon/attend.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/net/local.h"

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define FIRST_CLIENT_USEC 15000000ULL

struct client {
	struct attend *a;
	sd_event_source *event; /* floating: its end frees the client; the descriptor stays open */
};

struct attend {
	sd_event *loop;
	int state_dir;
	int fd;
	sd_event_source *event, *patience;
	size_t clients;
	bool deserted;
	void (*on_deserted)(void *arg);
	void *arg;
};

static void stop_listening(struct attend *a)
{
	if (a->fd < 0)
		return;
	(void)unlinkat(a->state_dir, "attend.sock", 0);
	a->event = sd_event_source_disable_unref(a->event);
	a->patience = sd_event_source_disable_unref(a->patience);
	close_fdp(&a->fd);
	a->fd = -1;
}

static void desert(struct attend *a)
{
	if (a->deserted)
		return;
	a->deserted = true;
	stop_listening(a);
	a->on_deserted(a->arg);
}

/* The client is done. The last one's connection is left to the process's end: that is its sign that the lock is free. */
static int client_done(sd_event_source *event, int fd, uint32_t revents, void *arg)
{
	struct client *c = arg;
	char byte;
	(void)revents;
	if (recv(fd, &byte, 1, MSG_DONTWAIT) > 0)
		return 0;
	struct attend *a = c->a;
	(void)sd_event_source_set_enabled(event, SD_EVENT_OFF);
	(void)sd_event_source_set_floating(event, 0); /* its last reference: frees c */
	if (--a->clients == 0)
		desert(a);
	else
		(void)close(fd);
	return 0;
}

static int client_new(sd_event_source *event, int listener, uint32_t revents, void *arg)
{
	struct attend *a = arg;
	(void)event;
	(void)revents;
	CLEANUP(close_fdp) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 || send(fd, "R", 1, MSG_NOSIGNAL) != 1)
		return 0;
	struct client *c = mem_zero(1, sizeof(*c));
	c->a = a;
	if (sd_event_add_io(a->loop, &c->event, fd, EPOLLIN, client_done, c) < 0) {
		free(c);
		return 0;
	}
	(void)sd_event_source_set_destroy_callback(c->event, free);
	(void)sd_event_source_set_floating(c->event, 1);
	(void)sd_event_source_unref(c->event);
	(void)take_fd(&fd);
	a->clients++;
	return 0;
}

static int nobody_came(sd_event_source *event, uint64_t usec, void *arg)
{
	struct attend *a = arg;
	(void)event;
	(void)usec;
	if (a->clients == 0)
		desert(a);
	return 0;
}

int attend_open(sd_event *loop, int state_dir, void (*on_deserted)(void *arg), void *arg, struct attend **ret, struct err *err)
{
	struct attend *a = mem_zero(1, sizeof(*a));
	*a = (struct attend){ .loop = loop, .state_dir = state_dir, .fd = -1, .on_deserted = on_deserted, .arg = arg };
	if (local_listen(state_dir, "attend.sock", 0660, &a->fd, err) < 0) {
		free(a);
		return -1;
	}
	int rc = sd_event_add_io(loop, &a->event, a->fd, EPOLLIN, client_new, a);
	if (rc >= 0)
		rc = sd_event_add_time_relative(loop, &a->patience, CLOCK_MONOTONIC, FIRST_CLIENT_USEC, 0, nobody_came, a);
	if (rc < 0) {
		attend_close(a);
		return err_set(err, ERR_FATAL, -rc, "watch attend.sock");
	}
	*ret = a;
	return 0;
}

void attend_close(struct attend *a)
{
	if (!a)
		return;
	stop_listening(a);
	free(a);
}
