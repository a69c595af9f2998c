/* handover.c - a small chained table of inputs under one lock. */
#include "daemon/stages/handover.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

#define CHAINS 1024

struct held {
	struct held *next;
	struct inputs *in;
};

struct handover {
	size_t budget;
	pthread_mutex_t lock;  /* guards all below */
	pthread_cond_t room;
	struct held *chains[CHAINS];
	size_t bytes;
	bool stopping;
};

void inputs_free(struct inputs *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < PIXEL_SPECS_MAX; i++)
		free(in->pixels[i]);
	free(in->text);
	free(in);
}

struct inputs *inputs_of(uint64_t item, struct decode_result *r, const struct pixel_spec *specs, size_t spec_count)
{
	struct inputs *in = mem_zero(1, sizeof(*in));
	in->item = item;
	in->bytes = sizeof(*in);
	for (size_t i = 0; i < spec_count; i++) {
		in->pixels[i] = r->inputs[i];
		r->inputs[i] = NULL;
		in->bytes += in->pixels[i] ? pixel_spec_bytes(&specs[i]) : 0;
	}
	in->text_bytes = r->text.len;
	in->bytes += r->text.cap;
	in->text = buf_take(&r->text);
	return in;
}

struct handover *handover_new(size_t budget_bytes)
{
	struct handover *h = mem_zero(1, sizeof(*h));
	h->budget = budget_bytes;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->room, NULL);
	return h;
}

void handover_free(struct handover *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		for (struct held *e = h->chains[i], *next; e; e = next) {
			next = e->next;
			inputs_free(e->in);
			free(e);
		}
	}
	pthread_cond_destroy(&h->room);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void handover_stop(struct handover *h)
{
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_broadcast(&h->room);
	pthread_mutex_unlock(&h->lock);
}

void handover_put(struct handover *h, struct inputs *in)
{
	pthread_mutex_lock(&h->lock);
	while (!h->stopping && h->bytes > 0 && h->bytes + in->bytes > h->budget)
		pthread_cond_wait(&h->room, &h->lock);
	if (h->stopping) {
		pthread_mutex_unlock(&h->lock);
		inputs_free(in);
		return;
	}
	struct held *e = mem_alloc(sizeof(*e));
	struct held **chain = &h->chains[in->item % CHAINS];
	*e = (struct held){ .next = *chain, .in = in };
	*chain = e;
	h->bytes += in->bytes;
	pthread_mutex_unlock(&h->lock);
}

struct inputs *handover_take(struct handover *h, uint64_t item)
{
	struct inputs *in = NULL;
	pthread_mutex_lock(&h->lock);
	for (struct held **at = &h->chains[item % CHAINS]; *at && !in; at = &(*at)->next) {
		if ((*at)->in->item == item) {
			struct held *e = *at;
			in = e->in;
			*at = e->next;
			free(e);
			h->bytes -= in->bytes;
			pthread_cond_broadcast(&h->room);
			break;
		}
	}
	pthread_mutex_unlock(&h->lock);
	return in;
}
