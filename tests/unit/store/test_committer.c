/* test_committer.c - what the one writer makes of arrivals, records, decisions and refusals. */
#include "tests/unit/store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static void test_new_content_is_an_item(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a.txt", "v1", "hello"), 1);
	assert_stored(f, 1, "hello", 5);
	struct item item;
	assert_true(item_of(f, 1, &item));
	assert_int_equal(item.at.offset % 512, 0);
	assert_verifies(f);
}

static void test_known_content_is_one_more_reference(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a.txt", "v1", "hello"), 1);
	uint64_t size = segment_size(f, 1);
	assert_int_equal(arrive_text(f, "b.txt", "v1", "hello"), 2);
	assert_int_equal(segment_size(f, 1), size + 4096); /* the batch member, and no second blob */
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct reference *refs;
	size_t n;
	assert_int_equal(view_references(v, 1, false, &refs, &n, &f->err), 0);
	assert_int_equal(n, 2);
	struct item none;
	assert_int_equal(view_item(v, 2, &none, &f->err), 0);
}

static void test_duplicates_within_a_change_are_cut_out(void **state)
{
	struct fixture *f = *state;
	char block[3000];
	struct filling fill = filling_new(f->store);
	for (int i = 0; i < 40; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%02d", i);
		memset(block, 'a' + i / 4, sizeof(block)); /* each content four times */
		fill_add(&fill, key, "v", false, block, sizeof(block));
	}
	assert_int_equal(committer_wait(f->store, fill.change, &f->err), 1);
	for (int i = 0; i < 10; i++) {
		memset(block, 'a' + i, sizeof(block));
		assert_stored(f, (uint64_t)i + 1, block, sizeof(block));
	}
	assert_true(segment_size(f, 1) < 4096 + 10 * 3584 + 4096 + 16384);
	assert_verifies(f);
}

static void test_unchanged_arrival_writes_nothing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a.txt", "v1", "hello"), 1);
	uint64_t size = segment_size(f, 1);
	assert_int_equal(arrive_text(f, "a.txt", "v1", "hello"), 0);
	assert_int_equal(segment_size(f, 1), size);
}

static void test_changed_arrival_moves_the_reference(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a.txt", "v1", "hello"), 1);
	assert_int_equal(arrive_text(f, "a.txt", "v2", "other"), 2);
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct ledger_row row;
	assert_int_equal(view_object(v, SLICE_LIT("drop"), LAYOUT_TREE, SLICE_LIT("a.txt"), &row, &f->err), 1);
	assert_int_equal(row.object, 1);
	assert_int_equal(row.item, 2);
}

static void test_racy_object_that_proves_unchanged_is_calmed(void **state)
{
	struct fixture *f = *state;
	struct filling fill = filling_new(f->store);
	fill_add(&fill, "a", "v1", true, "hello", 5);
	assert_int_equal(committer_wait(f->store, fill.change, &f->err), 1);
	uint64_t size = segment_size(f, 1);
	assert_int_equal(arrive_text(f, "a", "v1", "hello"), 0);
	assert_int_equal(segment_size(f, 1), size); /* index-only */
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct ledger_row row;
	assert_int_equal(view_object(v, SLICE_LIT("drop"), LAYOUT_TREE, SLICE_LIT("a"), &row, &f->err), 1);
	assert_false(row.racy);
	assert_int_equal(view_revision(v), 1);
}

static void test_empty_file_is_an_item(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "empty", "v", ""), 1);
	assert_stored(f, 1, "", 0);
	assert_verifies(f);
}

static void test_copy_upgrades_a_reference(void **state)
{
	struct fixture *f = *state;
	struct item item;
	int fd;
	uint64_t offset;
	assert_int_equal(arrive_reference(f, "far", "v1", "hello"), 1);
	assert_true(item_of(f, 1, &item));
	assert_int_equal(item.at.kind, LOCATION_REFERENCE);
	assert_int_equal(store_blob(f->store, &item, &fd, &offset, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(arrive_text(f, "near", "v1", "hello"), 2);
	assert_stored(f, 1, "hello", 5);
	assert_int_equal(arrive_reference(f, "third", "v1", "hello"), 3);
	assert_stored(f, 1, "hello", 5);
	assert_verifies(f);
}

static int64_t arrive_file(struct fixture *f, const char *key, const void *p, size_t n)
{
	int fd;
	if (large_create(f->store, n, &fd, &f->err) < 0)
		return -1;
	assert_int_equal(file_write_at(fd, p, n, 0, &f->err), 0);
	struct change *c = change_new();
	struct arrival a = {
		.source = SLICE_LIT("drop"),
		.key = slice_of(key),
		.version = SLICE_LIT("v"),
		.layout = LAYOUT_TREE,
		.content = id_of(p, n),
		.bytes = n,
		.how = ARRIVAL_FILE,
		.fd = fd,
	};
	change_arrive(c, &a);
	return committer_wait(f->store, c, &f->err);
}

static void test_large_file_has_a_file_of_its_own(void **state)
{
	struct fixture *f = *state;
	size_t n = ARENA_MEMBER_MAX + 5;
	char *bytes = mem_zero(n, 1);
	memset(bytes, 'x', n / 2);
	assert_int_equal(arrive_file(f, "big", bytes, n), 1);
	struct item item;
	assert_true(item_of(f, 1, &item));
	assert_int_equal(item.at.kind, LOCATION_LARGE);
	assert_stored(f, 1, bytes, n);
	assert_int_equal(arrive_file(f, "again", bytes, n), 2);
	struct store_usage usage;
	store_usage(f->store, &usage);
	assert_int_equal(usage.large, 1);
	assert_int_equal(usage.bytes, n);
	assert_verifies(f);
	fixture_reopen(f);
	assert_stored(f, 1, bytes, n);
	free(bytes);
}

static void test_large_file_of_another_size_is_refused(void **state)
{
	struct fixture *f = *state;
	int fd;
	assert_int_equal(large_create(f->store, 0, &fd, &f->err), 0);
	struct change *c = change_new();
	struct arrival a = {
		.source = SLICE_LIT("drop"),
		.key = SLICE_LIT("k"),
		.version = SLICE_LIT("v"),
		.layout = LAYOUT_TREE,
		.content = id_of("abc", 3),
		.bytes = 3,
		.how = ARRIVAL_FILE,
		.fd = fd,
	};
	change_arrive(c, &a);
	assert_int_equal(committer_wait(f->store, c, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_int_equal(arrive_text(f, "next", "v", "fine"), 1);
}

/* Decides by what was committed before it in the same group, and counts how often it ran. */
struct decision {
	int ran;
	uint64_t wants; /* an item */
};

static int annotate_if_there(struct change *c, struct view *now, void *arg, struct err *err)
{
	struct decision *d = arg;
	struct item item;
	d->ran++;
	int found = view_item(now, d->wants, &item, err);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_REJECT, 0, "there is no item %" PRIu64, d->wants);
	struct record *r = change_add(c, RECORD_ANNOTATION);
	r->annotation = (struct record_annotation){
		.item = d->wants,
		.concept = change_copy(c, SLICE_LIT("cat")),
		.confidence = -1,
		.status = STATUS_SUCCESS,
		.worker = change_copy(c, SLICE_LIT("user:ann")),
		.time_ms = 1,
	};
	return 0;
}

static void test_prepare_sees_what_was_decided_before(void **state)
{
	struct fixture *f = *state;
	struct decision d = { .wants = 1 };
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	struct change *c = change_new();
	change_prepare(c, annotate_if_there, &d);
	assert_int_equal(committer_wait(f->store, c, &f->err), 2);
	assert_int_equal(d.ran, 1);
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *notes;
	size_t n;
	assert_int_equal(view_annotations(v, 1, 0, &notes, &n, &f->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(notes[0].n, 1);
	assert_int_equal(notes[0].since, 2);
}

static void test_refused_prepare_drops_only_its_change(void **state)
{
	struct fixture *f = *state;
	struct decision d = { .wants = 99 };
	struct filling fill = filling_new(f->store);
	fill_add(&fill, "a", "v", false, "hello", 5);
	change_prepare(fill.change, annotate_if_there, &d);
	assert_int_equal(committer_wait(f->store, fill.change, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	assert_string_equal(f->err.text, "there is no item 99");
	assert_int_equal(arrive_text(f, "b", "v", "other"), 1);
	struct item item;
	assert_false(item_of(f, 2, &item));
	assert_int_equal(store_failed(f->store, NULL), 0);
}

static void test_index_only_group_keeps_revision_and_log(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	uint64_t size = segment_size(f, 1);
	assert_int_equal(committer_set_meta(f->store, "bands", SLICE_LIT("x"), &f->err), 0);
	struct change *c = change_new();
	struct record *r = change_add(c, RECORD_PASS);
	r->pass = (struct record_pass){ .source = SLICE_LIT("drop"), .state = SLICE_LIT("live"), .complete = true, .time_ms = 5 };
	assert_int_equal(committer_wait(f->store, c, &f->err), 0);
	assert_int_equal(segment_size(f, 1), size);
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct slice value;
	assert_int_equal(view_meta(v, "bands", &value), 1);
	assert_true(slice_eq(value, SLICE_LIT("x")));
	assert_int_equal(view_revision(v), 1);
}

static void test_derived_bytes_come_back(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	struct change *c = change_new();
	struct derived_blob d = { .item = 1, .kind = DERIVED_THUMBNAIL, .data = mem_dup("thumb", 5), .bytes = 5 };
	change_derive(c, &d);
	assert_int_equal(committer_wait(f->store, c, &f->err), 0);
	CLEANUP(buf_done) struct buf got = { 0 };
	assert_int_equal(store_derived(f->store, 1, DERIVED_THUMBNAIL, &got, &f->err), 1);
	assert_string_equal(got.data, "thumb");
	assert_int_equal(store_derived(f->store, 1, DERIVED_CANONICAL, &got, &f->err), 0);
	assert_int_equal(run_shell("printf X | dd of='%s/store/derived/00000001.pack' conv=notrunc 2>/dev/null", f->dir), 0);
	assert_int_equal(store_derived(f->store, 1, DERIVED_THUMBNAIL, &got, &f->err), 0); /* damaged: make it again */
}

static void test_contradiction_is_fatal_and_sticky(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	struct change *c = change_new();
	struct record *r = change_add(c, RECORD_STATE);
	r->state = (struct record_state){ .item = 77, .state = ITEM_ROUTED };
	assert_int_equal(committer_wait(f->store, c, &f->err), -1);
	assert_int_equal(f->err.class, ERR_FATAL);
	assert_int_equal(store_failed(f->store, NULL), -1);
	assert_int_equal(arrive_text(f, "b", "v", "other"), -1);
	assert_int_equal(f->err.class, ERR_FATAL);
	fixture_reopen(f);
	assert_int_equal(f->report.revision, 1);
	assert_int_equal(arrive_text(f, "b", "v", "other"), 2);
}

static void test_reserve_stops_arrivals_only(void **state)
{
	struct fixture *f = *state;
	struct decision d = { .wants = 1 };
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	fixture_close(f);
	f->options.reserve_bytes = 1ULL << 60;
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(arrive_text(f, "b", "v", "other"), -1);
	assert_int_equal(f->err.class, ERR_RETRY);
	assert_non_null(strstr(f->err.text, "limits.reserve"));
	struct change *c = change_new();
	change_prepare(c, annotate_if_there, &d);
	assert_int_equal(committer_wait(f->store, c, &f->err), 2);
}

/* Many threads submit at once, contents overlapping; each content ends as one item. */
#define THREADS 4
#define ROUNDS 60
#define CONTENTS 37

static void *submit_many(void *arg)
{
	struct fixture *f = arg;
	static atomic_int next;
	int me = atomic_fetch_add(&next, 1);
	for (int i = 0; i < ROUNDS; i++) {
		struct filling fill = filling_new(f->store);
		for (int k = 0; k < 20; k++) {
			char key[32];
			char text[64];
			(void)snprintf(key, sizeof(key), "t%d/%d-%d", me, i, k);
			(void)snprintf(text, sizeof(text), "content %d", (i * 20 + k) % CONTENTS);
			fill_add(&fill, key, "v", false, text, strlen(text));
		}
		struct err err;
		if (committer_wait(f->store, fill.change, &err) <= 0)
			return f;
	}
	return NULL;
}

static void test_threads_at_once_store_once(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, f), 0);
	for (int i = 0; i < THREADS; i++) {
		void *why = NULL;
		assert_int_equal(pthread_join(threads[i], &why), 0);
		assert_null(why);
	}
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct totals totals;
	assert_int_equal(view_totals(v, &totals, &f->err), 0);
	assert_int_equal(totals.items, CONTENTS);
	assert_verifies(f);
}

static void test_segments_seal_and_the_next_begins(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	f->options.segment_bytes = 64 << 10;
	assert_int_equal(fixture_open(f), 0);
	for (int i = 0; i < 40; i++) {
		char bytes[6000];
		char key[16];
		memset(bytes, i, sizeof(bytes));
		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(arrive_bytes(f, key, "v", bytes, sizeof(bytes)), i + 1);
	}
	struct store_usage usage;
	store_usage(f->store, &usage);
	assert_true(usage.segments >= 5);
	assert_verifies(f);
	fixture_reopen(f);
	assert_int_equal(f->report.revision, 40);
	assert_verifies(f);
	assert_int_equal(run_shell("cd '%s/store/segments' && for t in *.tar; do tar tvf $t >/dev/null 2>../err || exit 1; "
		"[ ! -s ../err ] || exit 1; done", f->dir), 0);
}

static void test_clean_close_leaves_nothing_to_recover(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v", "hello"), 1);
	fixture_close(f);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->report.revision, 1);
	assert_int_equal(f->report.batches_recovered, 0);
	assert_int_equal(f->report.bytes_cut, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_new_content_is_an_item),
		CASE(test_known_content_is_one_more_reference),
		CASE(test_duplicates_within_a_change_are_cut_out),
		CASE(test_unchanged_arrival_writes_nothing),
		CASE(test_changed_arrival_moves_the_reference),
		CASE(test_racy_object_that_proves_unchanged_is_calmed),
		CASE(test_empty_file_is_an_item),
		CASE(test_copy_upgrades_a_reference),
		CASE(test_large_file_has_a_file_of_its_own),
		CASE(test_large_file_of_another_size_is_refused),
		CASE(test_prepare_sees_what_was_decided_before),
		CASE(test_refused_prepare_drops_only_its_change),
		CASE(test_index_only_group_keeps_revision_and_log),
		CASE(test_derived_bytes_come_back),
		CASE(test_contradiction_is_fatal_and_sticky),
		CASE(test_reserve_stops_arrivals_only),
		CASE(test_threads_at_once_store_once),
		CASE(test_segments_seal_and_the_next_begins),
		CASE(test_clean_close_leaves_nothing_to_recover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
