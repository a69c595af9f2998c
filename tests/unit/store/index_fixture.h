/* index_fixture.h - a real index in a fresh directory, and short forms of the records that the tests apply to it. */
#ifndef INLET_TESTS_INDEX_FIXTURE_H
#define INLET_TESTS_INDEX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/mem.h"
#include "daemon/base/slice.h"
#include "daemon/store/apply.h"
#include "daemon/store/internal.h"
#include "daemon/store/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_MAP (1ULL << 30)
#define S(literal) SLICE_LIT(literal)

struct index {
	char dir[64];
	struct kv *kv;
	struct kv_txn *txn;    /* a write transaction under way, or NULL */
	struct view *view;     /* or NULL */
	struct err err;
	uint64_t revision;
};

static inline void index_remove_dir(const char *dir)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static inline struct index *index_new(void)
{
	struct index *x = mem_zero(1, sizeof(*x));
	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/inlet-index-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	assert_int_equal(kv_open(x->dir, INDEX_MAP, &x->kv, &x->err), 0);
	assert_int_equal(apply_init(x->kv, &x->err), 0);
	return x;
}

static inline void index_free(struct index *x)
{
	kv_abort(x->txn);
	view_close(x->view);
	kv_close(x->kv);
	index_remove_dir(x->dir);
	free(x);
}

static inline int index_setup(void **state)
{
	*state = index_new();
	return 0;
}

static inline int index_teardown(void **state)
{
	index_free(*state);
	return 0;
}

static inline struct kv_txn *index_txn(struct index *x)
{
	if (!x->txn)
		assert_int_equal(kv_begin(x->kv, true, &x->txn, &x->err), 0);
	return x->txn;
}

/* One record, in the transaction under way. */
static inline int index_try(struct index *x, struct record r)
{
	return apply_record(index_txn(x), &r, x->revision, &x->err);
}

static inline void index_apply(struct index *x, struct record r)
{
	if (index_try(x, r) < 0)
		fail_msg("%s", x->err.text);
}

static inline void index_commit(struct index *x)
{
	int rc = kv_commit(index_txn(x), &x->err);
	x->txn = NULL;
	if (rc < 0)
		fail_msg("%s", x->err.text);
	x->revision++;
}

static inline void index_abort(struct index *x)
{
	kv_abort(x->txn);
	x->txn = NULL;
}

/* What is committed (and, before it, what is under way). */
static inline struct view *index_view(struct index *x)
{
	if (x->txn)
		index_commit(x);
	if (x->view)
		assert_int_equal(view_renew(x->view, &x->err), 0);
	else
		assert_int_equal(view_open_kv(x->kv, &x->view, &x->err), 0);
	return x->view;
}

/* Records */

static inline struct content_id content_of(uint64_t n)
{
	struct content_id id = { { 1 } };
	memcpy(id.sha256 + 8, &n, sizeof(n));
	return id;
}

static inline struct record item_record(uint64_t item, uint64_t content)
{
	struct record r = { .kind = RECORD_ITEM };
	r.item = (struct record_item){ .item = item, .content = content_of(content), .bytes = 100 * content,
		.at = { LOCATION_SEGMENT, 1, 512 * item } };
	return r;
}

static inline struct record object_record(const char *key, const char *version, uint64_t object, uint64_t item)
{
	struct record r = { .kind = RECORD_OBJECT };
	r.object = (struct record_object){ .source = S("drop"), .key = slice_of(key), .version = slice_of(version),
		.layout = LAYOUT_TREE, .bytes = 7, .object = object, .item = item };
	return r;
}

static inline struct record flat_record(struct slice key, uint64_t object, uint64_t item)
{
	struct record r = { .kind = RECORD_OBJECT };
	r.object = (struct record_object){ .source = S("bucket"),
		.key = key,
		.version = S("etag"),
		.layout = LAYOUT_FLAT,
		.bytes = 7,
		.object = object,
		.item = item };
	return r;
}

static inline struct record gone_record(const char *key, bool directory)
{
	struct record r = { .kind = RECORD_GONE };
	r.gone = (struct record_gone){ .source = S("drop"),
		.key = slice_of(key),
		.layout = LAYOUT_TREE,
		.directory = directory };
	return r;
}

static inline struct record facts_record(uint64_t item, enum item_state state, enum media media)
{
	struct record r = { .kind = RECORD_FACTS };
	r.facts = (struct record_facts){ .item = item, .state = state, .media = media, .media_type = S("image/jpeg"),
		.width = 640, .height = 480, .normalizer = 1, .canonical = content_of(900), .facts = S("{\"a\":1}") };
	return r;
}

static inline struct record state_record(uint64_t item, enum item_state state)
{
	struct record r = { .kind = RECORD_STATE };
	r.state = (struct record_state){ .item = item, .state = state };
	return r;
}

static inline struct record run_record(uint64_t item, uint64_t version, const struct score *scores, size_t count)
{
	struct record r = { .kind = RECORD_RUN };
	r.run = (struct record_run){ .item = item, .model = S("image-default"), .model_version = content_of(version),
		.scores = scores, .score_count = count };
	return r;
}

static inline struct record annotation_record(uint64_t item, uint32_t n, const char *concept,
	enum annotation_status status)
{
	struct record r = { .kind = RECORD_ANNOTATION };
	r.annotation = (struct record_annotation){ .item = item,
		.n = n,
		.concept = slice_of(concept),
		.confidence = 0.5F,
		.status = status,
		.worker = S("model"),
		.model = S("image-default"),
		.model_version = content_of(77),
		.time_ms = 1234 };
	return r;
}

static inline struct record until_record(uint64_t item, uint32_t n)
{
	struct record r = { .kind = RECORD_UNTIL };
	r.until = (struct record_until){ .item = item, .n = n };
	return r;
}

static inline struct record item_failure(uint64_t item, enum stage stage, bool retry, uint32_t attempts, int64_t due_ms)
{
	struct record r = { .kind = RECORD_FAILURE };
	r.failure = (struct record_failure){ .subject = SUBJECT_ITEM, .number = item, .stage = stage, .retry = retry,
		.attempts = attempts, .due_ms = due_ms, .reason = S("it is cut short"), .cure = S("send it again") };
	return r;
}

static inline struct record object_failure(const char *key, const char *version, uint64_t object, bool retry,
	uint32_t attempts, int64_t due_ms)
{
	struct record r = { .kind = RECORD_FAILURE };
	r.failure = (struct record_failure){ .subject = SUBJECT_OBJECT,
		.number = object,
		.stage = STAGE_FETCH,
		.retry = retry,
		.attempts = attempts,
		.due_ms = due_ms,
		.reason = S("permission denied"),
		.cure = S("chmod"),
		.source = S("drop"),
		.key = slice_of(key),
		.version = slice_of(version),
		.layout = LAYOUT_TREE,
		.bytes = 9 };
	return r;
}

static inline struct record calm_record(const char *key)
{
	struct record r = { .kind = RECORD_CALM };
	r.calm = (struct record_calm){ .source = S("drop"), .key = slice_of(key), .layout = LAYOUT_TREE };
	return r;
}

static inline struct record directory_record(const char *key, uint32_t skipped)
{
	struct record r = { .kind = RECORD_DIRECTORY };
	r.directory = (struct record_directory){ .source = S("drop"), .key = slice_of(key), .skipped = skipped };
	return r;
}

/* What readers see */

static inline struct item item_now(struct index *x, uint64_t id)
{
	struct item it;
	assert_int_equal(view_item(index_view(x), id, &it, &x->err), 1);
	return it;
}

static inline int object_now(struct index *x, const char *key, struct ledger_row *ret)
{
	return view_object(index_view(x), S("drop"), LAYOUT_TREE, slice_of(key), ret, &x->err);
}

static inline struct place_digest place_now(struct index *x, const char *place)
{
	struct place_digest d;
	assert_int_equal(view_place(index_view(x), S("drop"), slice_of(place), &d, &x->err), 1);
	return d;
}

static inline struct source_row source_now(struct index *x)
{
	struct source_row s;
	assert_int_equal(view_source(index_view(x), S("drop"), &s, &x->err), 1);
	return s;
}

static inline struct totals totals_now(struct index *x)
{
	struct totals t;
	assert_int_equal(view_totals(index_view(x), &t, &x->err), 0);
	return t;
}

static inline uint64_t work_now(struct index *x, enum stage stage, enum media media, bool retrying)
{
	return view_work_count(index_view(x), stage, media, retrying);
}

static inline void assert_slice(struct slice got, const char *expected)
{
	assert_int_equal(got.len, strlen(expected));
	if (got.len > 0)
		assert_memory_equal(got.p, expected, got.len);
}

static inline void two_items(struct index *x)
{
	index_apply(x, item_record(1, 1));
	index_apply(x, item_record(2, 2));
}

static inline struct digest128 digest_of(struct index *x, size_t n, const char *const *names, const char *const *versions)
{
	struct digest128 d = { 0, 0 };
	for (size_t i = 0; i < n; i++) {
		char text[1500];
		int len = snprintf(text, sizeof(text), "%s%c%s", names[i], '\0', versions[i]);
		digest128_add(&d, view_digest_key(index_view(x)), text, (size_t)len);
	}
	return d;
}

static inline void assert_place(struct index *x, const char *place, size_t n, const char *const *names,
	const char *const *versions)
{
	struct digest128 d = digest_of(x, n, names, versions);
	struct place_digest p = place_now(x, place);
	assert_int_equal(p.count, n);
	assert_true(p.digest.lo == d.lo && p.digest.hi == d.hi);
}

#endif
