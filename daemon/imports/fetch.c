/* fetch.c - from a URL, or the path of a file, in the index to an arrival. */
#include "daemon/imports/fetch.h"

#include "connectors/folder_version.h"
#include "connectors/url_fetch.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/queue.h"
#include "daemon/flow/retry.h"
#include "daemon/imports/bucket.h"
#include "daemon/imports/internal.h"
#include "daemon/imports/list.h"
#include "daemon/model/import_body.h"
#include "daemon/net/url_identity.h"

#include <errno.h>
#include <stdlib.h>

#define THREADS 8

struct import_fetch {
	struct imports *imports;
	struct guard *guard;
	struct url_fetch *urls;
	atomic_bool stopping;
	struct queue *queue;      /* of struct task */
	pthread_mutex_t lock;
	pthread_t threads[THREADS]; /* with their count: guarded by lock */
	size_t thread_count;
};

struct task {
	struct work work;
	bool again;               /* asked again: it is counted in hand here */
	import_done_fn *done;
	void *arg;                /* of done */
};

/* One fetch. Its size is not known before it has come: it is gathered in memory, and goes to a large blob when it is more. */
struct landing {
	struct sink sink;         /* first */
	struct imports *imports;
	struct sha256 *hash;
	uint8_t *buffer;          /* ARENA_MEMBER_MAX */
	size_t held;              /* of it */
	uint64_t bytes, limit;
	int fd;                   /* -1: all of it is in the buffer */
	bool racy;
};

/* The row, as it was when its fetch began; one allocation a string. */
struct errand {
	struct task task;
	char *source, *key, *url; /* owned */
	char *version;            /* owned: that of the bytes which are there, of one that is asked again */
	size_t key_len;
	bool path;                /* url is one: of a list that we read ourselves */
	const char *cure;         /* of why the file cannot be had; NULL */
};

static void errand_done(struct errand *e)
{
	free(e->source);
	free(e->key);
	free(e->url);
	free(e->version);
}

/* --- where the bytes go --- */

static int spill(struct landing *l, struct err *err)
{
	if (l->fd < 0 && large_create(l->imports->store, 0, &l->fd, err) < 0)
		return -1;
	if (file_write_at(l->fd, l->buffer, l->held, l->bytes - l->held, err) < 0)
		return -1;
	l->held = 0;
	return 0;
}

static uint8_t *landing_space(struct sink *sink, size_t *ret_space, struct err *err)
{
	struct landing *l = (struct landing *)sink;
	if (l->bytes > l->limit) {
		(void)err_set(err, ERR_REJECT, 0, "is larger than limits.object (%llu bytes)", (unsigned long long)l->limit);
		return NULL;
	}
	if (l->held == ARENA_MEMBER_MAX && spill(l, err) < 0)
		return NULL;
	*ret_space = ARENA_MEMBER_MAX - l->held;
	return l->buffer + l->held;
}

static int landing_wrote(struct sink *sink, size_t n, struct err *err)
{
	(void)err;
	struct landing *l = (struct landing *)sink;
	sha256_add(l->hash, l->buffer + l->held, n);
	l->held += n;
	l->bytes += n;
	account_step(l->imports->account);
	return 0;
}

/* --- one row --- */

/* Where the last row of the object that says it says that its bytes are: *ret_url, the caller's; NULL: none does. */
static int where_of(struct view *v, uint64_t object, char **ret_url, bool *ret_path, struct err *err)
{
	const struct import_row *rows;
	size_t n;
	*ret_url = NULL;
	*ret_path = false;
	if (view_rows(v, object, &rows, &n, err) < 0)
		return -1;
	for (size_t i = n; i > 0 && !*ret_url; i--) {
		struct import_failure origin;
		struct import_body body;
		struct reader r;
		if (rows[i - 1].origin.len == 0 || import_failure_read(rows[i - 1].origin, &r, &origin, err) < 0)
			continue;
		if (origin.url.len)
			*ret_url = mem_strndup(origin.url.p, origin.url.len);
		reader_done(&r);
		if (import_body_read(rows[i - 1].body, &r, &body, err) < 0)
			return -1;
		*ret_path = slice_eq(body.at, SLICE_LIT("path"));
		reader_done(&r);
	}
	return 0;
}

static int find_errand(struct imports *imports, struct errand *e, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct slice source, key;
	struct ledger_row object;
	if (view_open(imports->store, &v, err) < 0)
		return -1;
	int found = view_object_by_number(v, e->task.work.number, &source, &key, &object, err);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_REJECT, 0, "object %llu is not in the index any more", (unsigned long long)e->task.work.number);
	e->source = mem_strndup(source.p, source.len);
	e->key = mem_strndup(key.p, key.len);
	e->key_len = key.len;
	if (e->task.again && object.state == OBJECT_PRESENT)
		e->version = mem_strndup(object.version.p, object.version.len);
	if (where_of(v, e->task.work.number, &e->url, &e->path, err) < 0)
		return -1;
	return e->url ? 0 : err_set(err, ERR_REJECT, 0, "no row of its manifest says any more where it is");
}

struct landed {
	struct import_fetch *f;
	struct task task;
};

/* Last of all: what is in hand keeps the pipeline alive. */
static void done_with(const struct task *t)
{
	t->done(t->arg, t->work.number);
}

static void committed(void *arg, int64_t revision, const struct err *err)
{
	struct landed *l = arg;
	struct imports *imports = l->f->imports;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(imports->account, err);
	feeds_kick(imports->feeds);
	struct task own = l->task;
	free(l);
	done_with(&own);
}

static void submit(struct import_fetch *f, const struct errand *e, struct change *c)
{
	struct landed *l = mem_alloc(sizeof(*l));
	struct err err;
	*l = (struct landed){ f, e->task };
	if (committer_submit(f->imports->store, c, committed, l, &err) < 0)
		committed(l, -1, &err);
}

/* What arrives, in the memory of its change. */
struct arriving {
	uint64_t object;
	struct slice url;
	size_t number;               /* of the arrival */
};

/* The list may have been read again meanwhile: bytes of a place that its row does not name any more are dropped, and the object
 * stands, or is due, as that reading left it. */
static int prepare_arrival(struct change *c, struct view *now, void *arg, struct err *err)
{
	const struct arriving *a = arg;
	CLEANUP(freep) char *url = NULL;
	bool path;
	if (where_of(now, a->object, &url, &path, err) < 0)
		return -1;
	if (!url || !slice_eq(slice_of(url), a->url))
		change_unarrive(c, a->number);
	return 0;
}

static int arrive(struct import_fetch *f, const struct errand *e, struct landing *l, struct slice version, struct err *err)
{
	struct arrival a = { .source = slice_of(e->source), .key = { e->key, e->key_len }, .version = version,
		.layout = LAYOUT_FLAT, .racy = l->racy, .bytes = l->bytes, .fd = -1 };
	struct arena *arena = NULL;
	sha256_end(l->hash, a.content.sha256);
	if (l->fd >= 0 && l->held > 0 && spill(l, err) < 0)
		return -1;
	if (l->fd < 0) {
		arena = arena_get(store_arenas(f->imports->store), l->held);
		if (!arena)
			return err_set(err, ERR_RETRY, ECANCELED, "stopping");
		memcpy(arena_payload(arena), l->buffer, l->held);
		a.place = arena_member(arena, &a.content, l->held);
		a.how = ARRIVAL_ARENA;
	} else {
		a.how = ARRIVAL_FILE;
		a.fd = take_fd(&l->fd);
	}
	struct change *c = change_new();
	if (arena)
		change_arena(c, arena);
	struct arriving *own = change_alloc(c, sizeof(*own));
	*own = (struct arriving){ e->task.work.number, change_copy(c, slice_of(e->url)), change_arrive(c, &a) };
	change_prepare(c, prepare_arrival, own);
	submit(f, e, c);
	return 0;
}

static const char *cure_of(const struct errand *e, const struct err *err)
{
	if (e->path)
		return err->class == ERR_RETRY ? "put the file there, or mend the row; it is tried again" : e->cure ? e->cure : "";
	if (e->url && import_names_bucket(e->url))
		return import_bucket_cure(err);
	if (err->class != ERR_REJECT)
		return "nothing: it is tried again";
	if (err->sys == EACCES)
		return "if the manifest may reach it, list the address under fetch.networks in the configuration, then inlet retry";
	return "mend the row and import the manifest again, or inlet retry";
}

static void failed(struct import_fetch *f, const struct errand *e, const struct err *err)
{
	struct change *c = change_new();
	struct record_failure *r = &change_add(c, RECORD_FAILURE)->failure;
	(void)retry_plan(f->imports->config->limits.attempts, err, e->task.work.attempts, r);
	r->subject = SUBJECT_OBJECT;
	r->number = e->task.work.number;
	r->stage = STAGE_FETCH;
	r->reason = change_copy(c, slice_of(err->text));
	r->cure = slice_of(cure_of(e, err));
	r->source = change_copy(c, slice_of(e->source));
	r->key = change_copy(c, (struct slice){ e->key, e->key_len });
	r->layout = LAYOUT_FLAT;
	submit(f, e, c);
}

static int read_into(struct landing *l, int fd, uint64_t bytes, struct err *err)
{
	while (l->bytes < bytes) {
		size_t space;
		uint8_t *to = landing_space(&l->sink, &space, err);
		if (!to)
			return -1;
		ssize_t got = read(fd, to, bytes - l->bytes < space ? (size_t)(bytes - l->bytes) : space);
		if (got < 0)
			return err_set(err, ERR_RETRY, errno, "read the file");
		if (got == 0)
			break;
		(void)landing_wrote(&l->sink, (size_t)got, err);
	}
	return 0;
}

/* A file that was not there when its list was read. */
static int fetch_file(struct import_fetch *f, struct errand *e, struct landing *l, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat before, after;
	char version[VERSION_TEXT_MAX];
	uint64_t now_ns = clock_wall_ns();
	if (import_list_open(f->imports->config, slice_of(e->source), slice_of(e->url), &fd, &before, &e->cure, err) < 0)
		return -1;
	e->cure = "raise limits.object, or leave the file out";
	if (read_into(l, fd, (uint64_t)before.st_size, err) < 0)
		return -1;
	if (fstat(fd, &after) < 0 || !version_same(&before, &after) || l->bytes != (uint64_t)before.st_size)
		return err_set(err, ERR_RETRY, EAGAIN, "the file '%.200s' changed while it was read", e->url);
	l->racy = version_racy(&before, now_ns);
	return arrive(f, e, l, (struct slice){ version, version_format(&before, version) }, err);
}

static int fetch(struct import_fetch *f, struct errand *e, struct landing *l, struct err *err)
{
	struct object seen;
	if (store_ready(f->imports->store, ARENA_MEMBER_MAX, err) < 0)
		return -1;
	if (e->path)
		return fetch_file(f, e, l, err);
	int got = import_names_bucket(e->url) ? import_bucket_get(f->imports, e->url, &l->sink, &seen, err) :
		url_fetch_get(f->urls, e->url, NULL, &l->sink, &seen, err);
	return got < 0 ? -1 : arrive(f, e, l, seen.version, err);
}

static bool is_signed(const char *url)
{
	CLEANUP(buf_done) struct buf identity = { 0 };
	url_identity(slice_of(url), &identity);
	return !slice_eq(buf_slice(&identity), slice_of(url));
}

/* Has it changed? 1: it stands as it is, or is not asked; 0: its new bytes are on their way to the store; -1. */
static int ask_again(struct import_fetch *f, struct errand *e, struct landing *l, struct err *err)
{
	struct object seen;
	if (!e->version || e->path || import_names_bucket(e->url) || is_signed(e->url))
		return 1;
	if (store_ready(f->imports->store, ARENA_MEMBER_MAX, err) < 0)
		return -1;
	int got = url_fetch_get(f->urls, e->url, e->version, &l->sink, &seen, err);
	return got != 0 ? got : arrive(f, e, l, seen.version, err);
}

static void run_again(struct import_fetch *f, struct errand *e, struct landing *l)
{
	struct err err;
	int done = find_errand(f->imports, e, &err) < 0 ? -1 : ask_again(f, e, l, &err);
	if (done < 0 && err.class == ERR_FATAL)
		account_fail(f->imports->account, &err);
	else if (done < 0 && !account_stopping(f->imports->account))
		LOG_DEBUG(LOG_SOURCE, "'%s' is not asked whether it changed, its bytes stand: %s", e->source ? e->source : "", err.text);
	if (done != 0)
		done_with(&e->task);
}

static void run(struct import_fetch *f, struct task *t, struct sha256 *hash, uint8_t *buffer)
{
	static const struct sink_ops ops = { landing_space, landing_wrote };
	struct errand e = { .task = *t };
	struct landing l = { .sink = { &ops }, .imports = f->imports, .hash = hash, .buffer = buffer,
		.limit = f->imports->config->limits.object_bytes, .fd = -1 };
	struct err err;
	sha256_begin(hash);
	if (t->again)
		run_again(f, &e, &l);
	else if (find_errand(f->imports, &e, &err) < 0 || fetch(f, &e, &l, &err) < 0) {
		if (err.class == ERR_FATAL)
			account_fail(f->imports->account, &err);
		if (account_stopping(f->imports->account) || err.class == ERR_FATAL || !e.key)
			done_with(t);
		else
			failed(f, &e, &err);
	}
	close_fdp(&l.fd);
	errand_done(&e);
}

static void *fetch_thread(void *arg)
{
	struct import_fetch *f = arg;
	struct sha256 *hash = sha256_new();
	uint8_t *buffer = mem_alloc(ARENA_MEMBER_MAX);
	struct task *t;
	while ((t = queue_pop(f->queue)) != NULL) {
		if (account_stopping(f->imports->account))
			done_with(t);
		else
			run(f, t, hash, buffer);
		free(t);
	}
	sha256_free(hash);
	free(buffer);
	return NULL;
}

/* --- life --- */

int import_fetch_open(struct imports *imports, struct import_fetch **ret, struct err *err)
{
	struct import_fetch *f = mem_zero(1, sizeof(*f));
	f->imports = imports;
	f->guard = guard_new();
	f->queue = queue_new(THREADS, free);
	pthread_mutex_init(&f->lock, NULL);
	for (char **network = imports->config->networks; network && *network; network++) {
		if (guard_allow_network(f->guard, *network, err) < 0) {
			import_fetch_close(f);
			return err_wrap(err, "fetch.networks");
		}
	}
	f->urls = url_fetch_new(&(struct http_rules){ .guard = f->guard, .stopping = &f->stopping }, 0);
	*ret = f;
	return 0;
}

static void start_threads(struct import_fetch *f)
{
	pthread_mutex_lock(&f->lock);
	while (f->thread_count < THREADS && pthread_create(&f->threads[f->thread_count], NULL, fetch_thread, f) == 0)
		f->thread_count++;
	pthread_mutex_unlock(&f->lock);
}

void import_fetch_take(struct import_fetch *f, const struct work *w, import_done_fn *done, void *arg)
{
	start_threads(f);
	struct task *own = mem_zero(1, sizeof(*own));
	*own = (struct task){ .work = *w, .done = done, .arg = arg };
	if (queue_push_over(f->queue, own) == 0)
		return;
	done_with(own); /* stopping */
	free(own);
}

/* --- asked again --- */

static void asked(void *arg, uint64_t object)
{
	(void)object;
	account_give(arg, 1);
}

void import_fetch_ask(struct import_fetch *f, uint64_t object)
{
	start_threads(f);
	struct task *t = mem_zero(1, sizeof(*t));
	*t = (struct task){ .work.number = object, .again = true, .done = asked, .arg = f->imports->account };
	account_take(f->imports->account, 1);
	if (queue_push(f->queue, t) == 0)
		return;
	done_with(t); /* stopping */
	free(t);
}

/* --- its end --- */

void import_fetch_stop(struct import_fetch *f)
{
	if (!f)
		return;
	atomic_store(&f->stopping, true);
	queue_close(f->queue);
}

void import_fetch_close(struct import_fetch *f)
{
	if (!f)
		return;
	import_fetch_stop(f);
	for (size_t i = 0; i < f->thread_count; i++)
		pthread_join(f->threads[i], NULL);
	queue_free(f->queue);
	pthread_mutex_destroy(&f->lock);
	url_fetch_free(f->urls);
	guard_free(f->guard);
	free(f);
}
