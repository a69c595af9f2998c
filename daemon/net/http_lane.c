/* http_lane.c - the pool of kept connections. */
#include "daemon/net/http_lane.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

void http_lane_drop(struct http_lane *l)
{
	if (!l->connected)
		return;
	(void)curl_multi_remove_handle(l->multi, l->easy);
	curl_easy_reset(l->easy);
	l->connected = false;
}

static void lane_free(struct http_lane *l)
{
	if (!l)
		return;
	http_lane_drop(l);
	curl_easy_cleanup(l->easy);
	(void)curl_multi_cleanup(l->multi);
	free(l->in);
	free(l);
}

static struct http_lane *lane_new(void)
{
	struct http_lane *l = mem_zero(1, sizeof(*l));
	l->multi = curl_multi_init();
	l->easy = curl_easy_init();
	if (!l->multi || !l->easy)
		abort(); /* only for want of memory: as mem.h */
	(void)curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 1L);
	return l;
}

void http_pool_init(struct http_pool *p, size_t limit)
{
	*p = (struct http_pool){ .limit = limit };
	(void)pthread_mutex_init(&p->lock, NULL);
}

void http_pool_done(struct http_pool *p)
{
	while (p->idle) {
		struct http_lane *l = p->idle;
		p->idle = l->next;
		lane_free(l);
	}
	(void)pthread_mutex_destroy(&p->lock);
}

/* Takes the lane at *at out of the list. */
static struct http_lane *unlink_lane(struct http_pool *p, struct http_lane **at)
{
	struct http_lane *l = *at;
	*at = l->next;
	p->count--;
	return l;
}

static struct http_lane **oldest(struct http_pool *p)
{
	struct http_lane **at = &p->idle;
	while (*at && (*at)->next)
		at = &(*at)->next;
	return at;
}

struct http_lane *http_pool_take(struct http_pool *p, const struct url *origin)
{
	struct http_lane *l = NULL;
	(void)pthread_mutex_lock(&p->lock);
	struct http_lane **at = &p->idle;
	while (*at && !url_same_origin(&(*at)->origin, origin))
		at = &(*at)->next;
	if (*at)
		l = unlink_lane(p, at);
	else if (p->count > 0 && p->count == p->limit)
		l = unlink_lane(p, oldest(p));
	(void)pthread_mutex_unlock(&p->lock);
	if (!l)
		l = lane_new();
	if (!url_same_origin(&l->origin, origin))
		http_lane_drop(l);
	l->origin = *origin;
	l->origin.target = (struct slice){ NULL, 0 };
	return l;
}

void http_pool_give(struct http_pool *p, struct http_lane *l)
{
	struct http_lane *over = NULL;
	if (!l->connected)
		curl_easy_reset(l->easy);
	(void)pthread_mutex_lock(&p->lock);
	l->next = p->idle;
	p->idle = l;
	if (++p->count > p->limit)
		over = unlink_lane(p, oldest(p));
	(void)pthread_mutex_unlock(&p->lock);
	lane_free(over);
}
