/* test_apply_random.c - random histories: what apply keeps beside the rows equals what the rows add up to, aborted
 * transactions leave nothing, and the logged records alone give the same items. */
#include "tests/unit/store/sums.h"

#include "daemon/base/buf.h"

#define STEPS 4000
#define PATHS 60
#define ITEMS_MAX 400

static const char *const versions[] = { "v1", "v2", "v3" };

/* What the histories are made from: only as much as is needed to make records that are allowed. */
struct model {
	uint64_t items, objects;
	struct {
		enum item_state state;
		uint32_t annotations;
		bool superseded[64];
	} item[ITEMS_MAX + 1];
	struct {
		uint64_t number; /* 0: not in the ledger */
		bool carries;
		enum object_state state;
	} object[SOURCES][PATHS];
};

struct history {
	struct index *x;
	struct model now, committed;
	struct record *log; /* logged records with their revisions; slices are all of static strings */
	uint64_t *revision;
	size_t count, committed_count;
	uint64_t seed;
	char paths[PATHS][32];
};

static uint64_t dice(struct history *h, uint64_t sides)
{
	h->seed = h->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (h->seed >> 33) % sides;
}

static void put(struct history *h, struct record r)
{
	index_apply(h->x, r);
	if (!record_logged(&r))
		return;
	h->log = mem_resize(h->log, h->count + 1, sizeof(*h->log));
	h->revision = mem_resize(h->revision, h->count + 1, sizeof(*h->revision));
	h->log[h->count] = r;
	h->revision[h->count++] = h->x->revision;
}

/* One file is fetched: new content or known, a new key, the same version or another. */
static void fetched(struct history *h)
{
	struct model *m = &h->now;
	uint64_t item = m->items > 0 ? 1 + dice(h, m->items) : 0;
	if (item == 0 || (m->items < ITEMS_MAX && dice(h, 3) == 0)) {
		item = ++m->items;
		struct record r = item_record(item, item);
		r.item.at.kind = LOCATION_SEGMENT + (int)dice(h, 2);
		put(h, r);
		m->item[item].state = ITEM_COMMITTED;
	}
	size_t s = dice(h, SOURCES), p = dice(h, PATHS);
	if (m->object[s][p].number == 0)
		m->object[s][p].number = ++m->objects;
	struct record r = object_record(h->paths[p], versions[dice(h, 3)], m->object[s][p].number, item);
	r.object.source = source_of(s);
	r.object.racy = dice(h, 4) == 0;
	put(h, r);
	m->object[s][p].state = OBJECT_PRESENT;
	m->object[s][p].carries = true;
}

static void not_fetched(struct history *h)
{
	struct model *m = &h->now;
	size_t s = dice(h, SOURCES), p = dice(h, PATHS);
	bool retry = dice(h, 3) != 0, archived = !retry && dice(h, 2) == 0;
	if (m->object[s][p].number == 0)
		m->object[s][p].number = ++m->objects;
	struct record r = object_failure(h->paths[p], versions[dice(h, 3)], m->object[s][p].number, retry,
		1 + (uint32_t)dice(h, 4), (int64_t)dice(h, 100000));
	r.failure.source = source_of(s);
	r.failure.archived = archived;
	put(h, r);
	m->object[s][p].state = retry ? OBJECT_RETRYING : archived ? OBJECT_ARCHIVED : OBJECT_QUARANTINED;
}

static void gone_one(struct model *m, size_t s, size_t p)
{
	if (m->object[s][p].number == 0)
		return;
	m->object[s][p].state = OBJECT_GONE;
	if (!m->object[s][p].carries)
		m->object[s][p].number = 0;
}

static void vanished(struct history *h)
{
	size_t s = dice(h, SOURCES), p = dice(h, PATHS);
	struct record r = gone_record(h->paths[p], false);
	r.gone.source = source_of(s);
	if (dice(h, 4) > 0) {
		put(h, r);
		gone_one(&h->now, s, p);
		return;
	}
	const char *slash = strrchr(h->paths[p], '/');
	r.gone.key.len = slash ? (size_t)(slash - h->paths[p]) : 0;
	if (r.gone.key.len == 0)
		return;
	r.gone.directory = true;
	put(h, r);
	for (size_t i = 0; i < PATHS; i++)
		if (strncmp(h->paths[i], r.gone.key.p, r.gone.key.len) == 0 && h->paths[i][r.gone.key.len] == '/')
			gone_one(&h->now, s, i);
}

static void looked_at(struct history *h)
{
	struct record r = calm_record(h->paths[dice(h, PATHS)]);
	r.calm.source = source_of(dice(h, SOURCES));
	put(h, r);
	static const char *const directories[] = { "", "a", "a/b", "a/b/c", "lone", "lone/empty" };
	r = directory_record(directories[dice(h, 6)], (uint32_t)dice(h, 4));
	r.directory.source = source_of(dice(h, SOURCES));
	put(h, r);
}

static const struct score scores[] = { { { "cat", 3 }, 0.875F }, { { "dog", 3 }, 0.125F }, { { "eel", 3 }, 0.01F } };

/* An item takes a step: forward, into an attempt that failed, into quarantine or out of it. */
static void worked(struct history *h)
{
	struct model *m = &h->now;
	if (m->items == 0)
		return;
	uint64_t id = 1 + dice(h, m->items);
	enum item_state from = m->item[id].state, to = 1 + (enum item_state)dice(h, ITEM_STATES - 1);
	if (item_state_work(from) != STAGE_NONE && dice(h, 4) == 0) {
		put(h,
			item_failure(id, item_state_work(from), true, 1 + (uint32_t)dice(h, 3),
				(int64_t)dice(h, 100000)));
		return;
	}
	if (!item_may_move(from, to))
		return;
	if (to == ITEM_QUARANTINED)
		put(h, item_failure(id, STAGE_NORMALIZE, false, 0, 0));
	else if (from == ITEM_COMMITTED && to != from)
		put(h, facts_record(id, to, 1 + (enum media)dice(h, MEDIAS - 1)));
	else
		put(h, state_record(id, to));
	if (to == ITEM_INFERRED)
		put(h, run_record(id, 70 + dice(h, 3), scores, dice(h, 4)));
	m->item[id].state = to;
}

static void labelled(struct history *h)
{
	struct model *m = &h->now;
	if (m->items == 0)
		return;
	uint64_t id = 1 + dice(h, m->items);
	uint32_t n = m->item[id].annotations;
	if (n > 0 && dice(h, 2) == 0) {
		uint32_t old = 1 + (uint32_t)dice(h, n);
		if (!m->item[id].superseded[old])
			put(h, until_record(id, old));
		m->item[id].superseded[old] = true;
	} else if (n < 60) {
		put(h,
			annotation_record(id, n + 1, versions[dice(h, 3)],
				(enum annotation_status)(1 + dice(h, STATUSES - 1))));
		m->item[id].annotations = n + 1;
	}
}

static void step(struct history *h)
{
	static void (*const what[])(struct history *) = { fetched, fetched, fetched, not_fetched, vanished, looked_at,
		worked, worked, labelled };
	what[dice(h, sizeof(what) / sizeof(*what))](h);
}

/* Everything that readers see of items, as text */

static void show_references(struct view *v, uint64_t id, struct buf *to)
{
	const struct reference *refs;
	size_t n;
	assert_int_equal(view_references(v, id, true, &refs, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		buf_printf(to, " ref %.*s %.*s %.*s %d %llu;", (int)refs[i].source.len, refs[i].source.p,
			(int)refs[i].key.len, refs[i].key.p, (int)refs[i].version.len, refs[i].version.p, refs[i].state,
			(unsigned long long)refs[i].object);
}

static void show_labels(struct view *v, uint64_t id, uint64_t revision, struct buf *to)
{
	const struct annotation *as;
	const struct run *runs;
	size_t n;
	assert_int_equal(view_annotations(v, id, revision, &as, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		buf_printf(to, " label %u %.*s %d %llu %llu;", as[i].n, (int)as[i].concept.len, as[i].concept.p,
			as[i].status, (unsigned long long)as[i].since, (unsigned long long)as[i].until);
	assert_int_equal(view_runs(v, id, &runs, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		for (size_t s = 0; s < runs[i].score_count; s++)
			buf_printf(to, " score %d %.*s %a;", runs[i].model_version.sha256[8],
				(int)runs[i].scores[s].concept.len, runs[i].scores[s].concept.p,
				(double)runs[i].scores[s].confidence);
}

static void show(struct index *x, struct buf *to)
{
	struct view *v = index_view(x);
	struct item it;
	for (uint64_t id = 0; view_item_next(v, id, ITEM_NONE, &it, NULL) > 0; id = it.id) {
		buf_printf(to, "item %llu %d %d %d %.*s %u %d", (unsigned long long)it.id, it.state, it.failed_stage,
			it.media, (int)it.media_type.len, it.media_type.p, it.width, it.at.kind);
		show_references(v, it.id, to);
		show_labels(v, it.id, 0, to);
		show_labels(v, it.id, 20, to); /* an earlier revision */
		buf_char(to, '\n');
	}
	buf_printf(to, "revision %llu\n", (unsigned long long)view_revision(v));
}

static void check_rebuild(struct history *h)
{
	struct buf before = { 0 }, after = { 0 };
	struct index *fresh = index_new();
	for (size_t i = 0; i < h->count; i++) {
		fresh->revision = h->revision[i];
		index_apply(fresh, h->log[i]);
	}
	show(h->x, &before);
	show(fresh, &after);
	assert_string_equal(before.data, after.data);
	assert_true(before.len > 1000);
	check_sums(fresh);
	index_free(fresh);
	buf_done(&before);
	buf_done(&after);
}

/* A few steps; every fourth time aborted. A logged record at the end keeps the revisions of index and log the same. */
static void transaction(struct history *h)
{
	uint64_t n = 1 + dice(h, 40);
	for (uint64_t i = 0; i < n; i++)
		step(h);
	if (dice(h, 4) == 0) {
		index_abort(h->x);
		h->now = h->committed;
		h->count = h->committed_count;
		return;
	}
	fetched(h);
	index_commit(h->x);
	h->committed = h->now;
	h->committed_count = h->count;
}

static void run_history(uint64_t seed)
{
	struct history *h = mem_zero(1, sizeof(*h));
	h->x = index_new();
	h->x->revision = 1;
	h->seed = seed;
	static const char *const below[] = { "", "a/", "a/b/", "a/b/c/", "a-b/", "lone/" };
	for (size_t i = 0; i < PATHS; i++)
		(void)snprintf(h->paths[i], sizeof(h->paths[i]), "%sf%zu", below[i % 6], i);
	for (int i = 0; i < STEPS / 20; i++) {
		transaction(h);
		if (i % 20 == 0)
			check_sums(h->x);
	}
	check_sums(h->x);
	check_rebuild(h);
	index_free(h->x);
	free(h->log);
	free(h->revision);
	free(h);
}

static void test_random_histories_add_up(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run_history(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
