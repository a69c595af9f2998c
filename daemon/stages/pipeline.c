/* pipeline.c - puts the stages together, starts and ends them, and answers what the whole is doing. */
#include "daemon/stages/pipeline.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/imports/imports.h"
#include "daemon/stages/discover.h"
#include "daemon/stages/fetch.h"
#include "daemon/stages/handover.h"
#include "daemon/stages/infer.h"
#include "daemon/stages/kept.h"
#include "daemon/stages/normalize.h"
#include "daemon/stages/refetch.h"
#include "daemon/stages/route.h"
#include "daemon/stages/source.h"
#include "daemon/stages/upkeep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define DECODE_RECYCLE 1000          /* items a worker serves: bounds what a hostile one could gather */
#define DECODE_MEMORY (2ULL << 30)   /* RLIMIT_AS of a worker: 100 Mpx at 4 bytes, upright and turned, and the libraries */
#define THUMBNAIL_PIXELS 256
#define HANDOVER_SHARE 4             /* of limits.memory */
#define KEPT_SHARE 8                 /* of limits.memory */
#define KEPT_NS (60 * NS_PER_SEC)    /* what nobody normalized until then was known already */

static size_t cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (size_t)n : 1;
}

static int count_items(struct pipeline *p, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct totals totals;
	if (view_open(p->store, &v, err) < 0 || view_totals(v, &totals, err) < 0)
		return -1;
	p->items_at_start = totals.items;
	return 0;
}

/* ---- what imports ask for ---- */

static int activate(void *pipeline, struct err *err)
{
	return pipeline_activate(pipeline, err);
}

static int read_object(void *pipeline, const struct source_config *c, const struct object *o, struct sink *into,
	struct object *ret_seen, struct err *err)
{
	struct source *s = source_find(pipeline, slice_of(c->name));
	assert(s); /* every source of the configuration runs */
	if (source_paused(s))
		return err_set(err, ERR_RETRY, 0, "the source '%s', through which it is read, is paused", c->name);
	return source_read(s, o, into, ret_seen, err);
}

static const struct import_ops for_imports = { activate, read_object };

/* ---- its life ---- */

int pipeline_open(const struct config *c, struct store *s, enum pipeline_mode mode, const char *decode_worker,
	struct pipeline **ret, struct err *err)
{
	struct account *account;
	if (account_open(&account, err) < 0)
		return -1;
	struct pipeline *p = mem_zero(1, sizeof(*p));
	p->account = account;
	p->config = c;
	p->store = s;
	p->mode = mode;
	p->decode_worker = decode_worker;
	pthread_mutex_init(&p->activate_lock, NULL);
	p->feeds = feeds_new(s, account);
	p->imports = imports_new(&(struct import_needs){ c, s, account, p->feeds, &for_imports, p });
	p->sources = mem_zero(c->source_count, sizeof(*p->sources));
	bool ok = count_items(p, err) == 0;
	for (size_t i = 0; ok && i < c->source_count; i++) {
		p->sources[i] = source_open(p, &c->sources[i], err);
		p->source_count += p->sources[i] != NULL;
		ok = p->sources[i] && discover_open(p->sources[i], err) == 0;
	}
	if (!ok) {
		pipeline_close(p);
		return -1;
	}
	*ret = p;
	return 0;
}

/* A band of what the model never says decides nothing, and is most often a slip. */
static void look_at_bands(const struct model_slot *slot)
{
	const struct bands *b = &slot->config->bands;
	for (size_t i = 0; i < b->count; i++) {
		const char *near = NULL;
		if (!model_has_label(slot->model, b->concepts[i].concept, &near))
			LOG_WARNING(LOG_MODEL, "model '%s': bands.concepts: '%s' is none of its labels%s%s%s; mend it, or take it out",
				model_info(slot->model)->name, b->concepts[i].concept, near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
	}
}

/* A model that cannot be loaded stops nothing else: its items wait, status says why. */
static void load_models(struct pipeline *p)
{
	struct backend_options o = { .library = p->config->onnxruntime,
		.threads = p->config->infer_threads ? (int)p->config->infer_threads : (int)cores() };
	for (size_t i = 0; i < p->config->model_count && i < MODELS_MAX; i++) {
		struct model_slot *slot = &p->models[p->model_count++];
		struct err err;
		slot->config = &p->config->models[i];
		if (model_open(slot->config->card, &o, &slot->model, &err) == 0) {
			const struct model_info *info = model_info(slot->model);
			LOG_INFO(LOG_MODEL, "model '%s' (%s, %zu labels) by %s", info->name, media_name(info->media), info->labels,
				info->runtime);
			look_at_bands(slot);
		} else {
			(void)snprintf(slot->error, sizeof(slot->error), "%s", err.text);
			LOG_ERR(LOG_MODEL, "model card '%s' is not used, its items wait: %s", slot->config->card, err.text);
		}
	}
}

static bool has_model(const struct pipeline *p, enum media media)
{
	for (size_t i = 0; i < p->model_count; i++)
		if (p->models[i].model && model_info(p->models[i].model)->media == media)
			return true;
	return false;
}

static int open_decoder(struct pipeline *p, size_t workers, struct err *err)
{
	const struct limits_config *l = &p->config->limits;
	struct decode_options o = { .worker = p->decode_worker, .workers = (int)workers, .recycle = DECODE_RECYCLE,
		.time_limit_ms = (uint32_t)l->decode_ms, .memory_bytes = DECODE_MEMORY, .max_bytes = l->decode_bytes,
		.max_pixels = l->pixels, .thumbnail = THUMBNAIL_PIXELS };
	return decode_pool_open(&o, &p->decoder, err);
}

static int start_stages(struct pipeline *p, struct err *err)
{
	size_t workers = p->config->decode_workers ? p->config->decode_workers : cores();
	load_models(p);
	bool models = has_model(p, MEDIA_IMAGE) || has_model(p, MEDIA_TEXT);
	if ((p->config->normalize || models) && open_decoder(p, workers, err) < 0)
		return -1;
	p->handover = handover_new(p->config->limits.memory_bytes / HANDOVER_SHARE);
	if (p->config->normalize)
		p->kept = kept_new(p->config->limits.memory_bytes / KEPT_SHARE, KEPT_NS);
	if (imports_start(p->imports, err) < 0)
		return -1;
	for (size_t i = 0; i < p->source_count; i++)
		if (discover_begin(p->sources[i], err) < 0)
			return -1;
	if (fetcher_open(p, &p->fetcher, err) < 0 || refetch_open(p, &p->refetch, err) < 0)
		return -1;
	for (enum media m = 0; m < MEDIAS; m++)
		if (has_model(p, m) && inferrer_open(p, m, workers, &p->inferrers[m], err) < 0)
			return -1;
	if (p->config->normalize && normalizer_open(p, workers, &p->normalizer, err) < 0)
		return -1;
	if (router_open(p, &p->router, err) < 0 || upkeep_start(p, &p->upkeep, err) < 0)
		return -1;
	for (size_t i = 0; i < p->source_count; i++)
		if (discover_start(p->sources[i], err) < 0)
			return -1;
	return 0;
}

int pipeline_activate(struct pipeline *p, struct err *err)
{
	int ok = 0;
	pthread_mutex_lock(&p->activate_lock);
	if (!p->active) {
		/* What was started of stages that could not all be is there until the end: nobody starts them twice. */
		if (p->unstarted.class == 0 && start_stages(p, &p->unstarted) == 0)
			p->active = true;
		else
			*err = p->unstarted;
		ok = p->active ? 0 : -1;
	}
	pthread_mutex_unlock(&p->activate_lock);
	if (ok == 0) {
		feeds_kick(p->feeds);
		account_wake_loop(p->account);
	}
	return ok;
}

int pipeline_start(struct pipeline *p, struct err *err)
{
	return p->mode == PIPELINE_ATTEND ? 0 : pipeline_activate(p, err);
}

void pipeline_stop(struct pipeline *p)
{
	account_stop(p->account);
	for (size_t i = 0; i < p->source_count; i++)
		source_stop(p->sources[i]);
	pthread_mutex_lock(&p->activate_lock);
	if (p->handover)
		handover_stop(p->handover);
	if (p->decoder)
		decode_pool_stop(p->decoder);
	if (p->fetcher)
		fetcher_stop(p->fetcher);
	imports_stop(p->imports);
	if (p->normalizer)
		normalizer_stop(p->normalizer);
	for (enum media m = 0; m < MEDIAS; m++)
		if (p->inferrers[m])
			inferrer_stop(p->inferrers[m]);
	if (p->router)
		router_stop(p->router);
	pthread_mutex_unlock(&p->activate_lock);
	arena_pool_close(store_arenas(p->store));
	account_wake(p->account);
}

void pipeline_close(struct pipeline *p)
{
	if (!p)
		return;
	pipeline_stop(p);
	for (size_t i = 0; i < p->source_count; i++)
		source_join(p->sources[i]);
	upkeep_close(p->upkeep);
	account_await_none(p->account); /* until every change is done: callbacks reach into the stages */
	p->active = false;
	refetch_close(p->refetch);
	fetcher_close(p->fetcher);
	imports_close(p->imports);
	normalizer_close(p->normalizer);
	for (enum media m = 0; m < MEDIAS; m++)
		inferrer_close(p->inferrers[m]);
	router_close(p->router);
	for (size_t i = 0; i < p->source_count; i++)
		source_close(p->sources[i]);
	decode_pool_close(p->decoder);
	handover_free(p->handover);
	kept_free(p->kept);
	for (size_t i = 0; i < p->model_count; i++)
		model_close(p->models[i].model);
	feeds_free(p->feeds);
	account_close(p->account);
	pthread_mutex_destroy(&p->activate_lock);
	free(p->sources);
	free(p);
}

/* ---- the main loop's part ---- */

size_t pipeline_sources(const struct pipeline *p)
{
	return p->source_count;
}

int pipeline_source_fd(const struct pipeline *p, size_t i)
{
	return p->mode == PIPELINE_ATTEND ? -1 : source_fd(p->sources[i]);
}

int pipeline_wake_fd(const struct pipeline *p)
{
	return account_loop_fd(p->account);
}

uint64_t pipeline_pump(struct pipeline *p)
{
	uint64_t due_ns = UINT64_MAX;
	account_loop_woken(p->account);
	for (size_t i = 0; i < p->source_count; i++) {
		uint64_t at = source_pump(p->sources[i]);
		due_ns = at < due_ns ? at : due_ns;
	}
	uint64_t stale_ns = p->active && p->kept ? kept_expire(p->kept) : UINT64_MAX;
	return stale_ns < due_ns ? stale_ns : due_ns;
}

uint64_t pipeline_progress(struct pipeline *p)
{
	bool idle = !account_holds(p->account);
	for (size_t i = 0; i < p->source_count; i++)
		idle = idle && source_idle(p->sources[i], false);
	if (idle)
		account_step(p->account);
	return account_progress(p->account);
}

int pipeline_failed(struct pipeline *p, struct err *err)
{
	return account_failed(p->account, err) < 0 ? -1 : store_failed(p->store, err);
}

/* ---- answers ---- */

size_t pipeline_source_views(struct pipeline *p, struct source_view *ret, size_t max)
{
	size_t n = p->source_count < max ? p->source_count : max;
	for (size_t i = 0; i < n; i++)
		source_describe(p->sources[i], &ret[i]);
	return n;
}

size_t pipeline_models(struct pipeline *p, struct model_view *ret, size_t max)
{
	size_t n = p->model_count < max ? p->model_count : max;
	for (size_t i = 0; i < n; i++) {
		const struct model_slot *slot = &p->models[i];
		const struct model_info *info = slot->model ? model_info(slot->model) : NULL;
		ret[i] = (struct model_view){ .name = info ? info->name : slot->config->card,
			.media = info ? media_name(info->media) : "", .runtime = info ? info->runtime : "" };
		if (info)
			ret[i].version = info->version;
		(void)snprintf(ret[i].error, sizeof(ret[i].error), "%s", slot->error);
	}
	return n;
}

const char *pipeline_intake(struct pipeline *p, char *buf, size_t n)
{
	if (p->active)
		return fetcher_paused(p->fetcher, buf, n);
	buf[0] = '\0';
	return buf;
}

struct imports *pipeline_imports(struct pipeline *p)
{
	return p->imports;
}

struct store *pipeline_store(struct pipeline *p)
{
	return p->store;
}

const struct config *pipeline_config(const struct pipeline *p)
{
	return p->config;
}
