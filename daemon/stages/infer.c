/* infer.c - loaders, the batcher, and what becomes of its predictions. */
#include "daemon/stages/infer.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/flow/feed.h"
#include "daemon/stages/bytes.h"
#include "daemon/stages/handover.h"
#include "daemon/stages/normalize.h"
#include "daemon/stages/route.h"

#include <stdlib.h>

/* One item in the batcher's hands, and after it in the committer's. */
struct sample_job {
	struct inferrer *f;
	struct work work;
	struct inputs *inputs;
	struct fresh_run runs[MODELS_MAX];
	size_t run_count;
};

struct inferrer {
	struct pipeline *p;
	enum media media;
	struct feed *feed;
	struct queue *ready;    /* of struct sample_job */
	struct threads loaders, batcher;
};

static void job_free(void *item)
{
	struct sample_job *j = item;
	inputs_free(j->inputs);
	free(j);
}

static void job_release(struct sample_job *j)
{
	feed_release(j->f->feed, j->work.number);
	job_free(j);
}

/* ---- after the batch: one commit per item ---- */

static void scored(void *arg, int64_t revision, const struct err *err)
{
	struct sample_job *j = arg;
	struct pipeline *p = j->f->p;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(p->account, err);
	feeds_kick(p->feeds);
	job_release(j); /* last: what is in hand keeps the pipeline alive */
}

static void submit(struct sample_job *j, struct change *c)
{
	struct err err;
	if (committer_submit(j->f->p->store, c, scored, j, &err) < 0)
		scored(j, -1, &err);
}

static void fail(struct sample_job *j, const struct err *err)
{
	if (account_stopping(j->f->p->account)) {
		job_release(j);
		return;
	}
	const char *cure = err->class == ERR_REJECT ? "replace the file, or the model; `inlet retry` after a change" : "";
	submit(j, item_failure(j->f->p, &j->work, STAGE_INFER, err, cure, ""));
}

/* In the committer's thread: runs, the annotations they route to, and both moves of state. */
static int prepare_scores(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct sample_job *j = arg;
	struct item item;
	int found = view_item(now, j->work.number, &item, err);
	if (found < 0)
		return -1;
	if (found == 0 || item.state != ITEM_NORMALIZED)
		return err_set(err, ERR_REJECT, 0, "item %llu does not wait for a model any more", (unsigned long long)j->work.number);
	for (size_t i = 0; i < j->run_count; i++) {
		const struct model_info *info = model_info(j->runs[i].slot->model);
		change_add(c, RECORD_RUN)->run = (struct record_run){ .item = item.id, .model = slice_of(info->name),
			.model_version = info->version, .scores = j->runs[i].prediction.scores, .score_count = j->runs[i].prediction.count };
	}
	change_add(c, RECORD_STATE)->state = (struct record_state){ item.id, ITEM_INFERRED };
	if (route_item(c, now, j->f->p, j->work.number, j->runs, j->run_count, err) < 0)
		return -1;
	change_add(c, RECORD_STATE)->state = (struct record_state){ j->work.number, ITEM_ROUTED };
	return 0;
}

static void submit_scores(struct sample_job *j)
{
	struct change *c = change_new();
	inputs_free(TAKE_PTR(j->inputs));
	change_prepare(c, prepare_scores, j);
	submit(j, c);
}

/* ---- the batch ---- */

static int run_model(struct inferrer *f, struct model_slot *slot, size_t input, struct sample_job **jobs, size_t n,
	struct prediction *ret, struct err *err)
{
	struct sample samples[BATCH_MAX];
	for (size_t i = 0; i < n; i++) {
		const struct inputs *in = jobs[i]->inputs;
		samples[i] = (struct sample){ .pixels = f->media == MEDIA_IMAGE ? in->pixels[input] : NULL,
			.text = { in->text, in->text_bytes } };
	}
	return model_run(slot->model, n, samples, ret, err);
}

/* Every model of the kind over n samples. On failure nothing is kept of them. */
static int run_models(struct inferrer *f, struct sample_job **jobs, size_t n, struct prediction *scratch, struct err *err)
{
	size_t input = 0;
	for (size_t i = 0; i < n; i++)
		jobs[i]->run_count = 0;
	for (size_t m = 0; m < f->p->model_count; m++) {
		struct model_slot *slot = &f->p->models[m];
		if (!slot->model || model_info(slot->model)->media != f->media)
			continue;
		if (run_model(f, slot, input++, jobs, n, scratch, err) < 0)
			return err_wrap(err, "model '%s'", model_info(slot->model)->name);
		for (size_t i = 0; i < n; i++)
			jobs[i]->runs[jobs[i]->run_count++] = (struct fresh_run){ slot, scratch[i] };
		account_step(f->p->account);
	}
	return 0;
}

/* A batch that fails is run again sample by sample, so that one bad sample is found and the others go on. */
static void run_batch(struct inferrer *f, struct sample_job **jobs, size_t n, struct prediction *scratch)
{
	struct err err;
	if (run_models(f, jobs, n, scratch, &err) == 0) {
		for (size_t i = 0; i < n; i++)
			submit_scores(jobs[i]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (n == 1 || run_models(f, &jobs[i], 1, scratch, &err) < 0)
			fail(jobs[i], &err);
		else
			submit_scores(jobs[i]);
	}
}

static void *batch_thread(void *arg)
{
	struct inferrer *f = arg;
	size_t max = f->p->config->batch;
	struct prediction *scratch = mem_zero(max, sizeof(*scratch));
	struct sample_job *jobs[BATCH_MAX];
	struct sample_job *first;
	while ((first = queue_pop(f->ready)) != NULL) {
		uint64_t deadline_ns = clock_mono_ns() + f->p->config->batch_age_ms * NS_PER_MS;
		size_t n = 0;
		for (struct sample_job *j = first; j; j = n < max ? queue_pop_until(f->ready, deadline_ns) : NULL)
			jobs[n++] = j;
		if (!account_stopping(f->p->account))
			run_batch(f, jobs, n, scratch);
		else
			for (size_t i = 0; i < n; i++)
				job_release(jobs[i]);
	}
	free(scratch);
	return NULL;
}

/* ---- loaders ---- */

static int decode_again(struct inferrer *f, uint64_t id, struct inputs **ret, struct err *err)
{
	struct pipeline *p = f->p;
	struct pixel_spec specs[PIXEL_SPECS_MAX];
	struct decode_job job = { .wants = specs, .want_count = image_specs(p, specs), .inputs_only = true };
	struct decode_result result = { 0 };
	struct item item;
	CLEANUP(view_closep) struct view *v = NULL;
	CLEANUP(close_fdp) int fd = -1;
	if (view_open(p->store, &v, err) < 0)
		return -1;
	int found = view_item(v, id, &item, err);
	if (found <= 0 || item.state != ITEM_NORMALIZED)
		return found < 0 ? -1 : 0;
	if (pipeline_bytes(p, &item, &fd, &job.offset, err) < 0)
		return -1;
	job.fd = fd;
	job.bytes = item.bytes;
	view_close(TAKE_PTR(v)); /* no snapshot is held while a worker decodes */
	int ok = decode_run(p->decoder, &job, &result, err);
	if (ok == 0)
		*ret = inputs_of(id, &result, specs, job.want_count);
	decode_result_done(&result);
	return ok < 0 ? -1 : 1;
}

static void *load_thread(void *arg)
{
	struct inferrer *f = arg;
	struct work w;
	while (feed_next(f->feed, UINT64_MAX, &w)) {
		struct sample_job *j = mem_zero(1, sizeof(*j));
		struct err err;
		*j = (struct sample_job){ .f = f, .work = w };
		j->inputs = handover_take(f->p->handover, w.number);
		int got = j->inputs ? 1 : decode_again(f, w.number, &j->inputs, &err);
		if (got < 0)
			fail(j, &err);
		else if (got == 0 || queue_push(f->ready, j) < 0)
			job_release(j); /* another decision was made meanwhile, or we are stopping */
	}
	return NULL;
}

int inferrer_open(struct pipeline *p, enum media media, size_t loaders, struct inferrer **ret, struct err *err)
{
	struct inferrer *f = mem_zero(1, sizeof(*f));
	f->p = p;
	f->media = media;
	f->feed = feed_new(p->feeds, STAGE_INFER, media);
	f->ready = queue_new(p->config->batch, job_free);
	if (threads_start(&f->loaders, loaders, load_thread, f, "the threads that load for a model", err) < 0 ||
		threads_start(&f->batcher, 1, batch_thread, f, "the batcher of a model", err) < 0) {
		inferrer_stop(f);
		inferrer_close(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void inferrer_stop(struct inferrer *f)
{
	feed_stop(f->feed);
	queue_close(f->ready);
}

void inferrer_close(struct inferrer *f)
{
	if (!f)
		return;
	threads_join(&f->loaders);
	threads_join(&f->batcher);
	queue_free(f->ready);
	feed_free(f->feed);
	free(f);
}

bool inferrer_pending(struct inferrer *f, uint32_t attempts)
{
	return feed_pending(f->feed, attempts);
}
