/* test_recovery.c - crashes, by cutting and damaging what was not acknowledged and by SIGKILL; and rebuilding the index. */
#include "tests/unit/store/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define SEGMENT_ONE "store/segments/00000001.tar"

/* Commits records of every logged kind that readers see, over two sources' worth of objects. */
static void fill_richly(struct fixture *f)
{
	assert_true(arrive_text(f, "a/one.txt", "v1", "one") > 0);
	assert_true(arrive_text(f, "a/copy.txt", "v1", "one") > 0);
	assert_true(arrive_text(f, "b/two.txt", "v1", "two") > 0);
	assert_true(arrive_text(f, "b/two.txt", "v2", "two, changed") > 0);
	assert_true(arrive_reference(f, "far", "v1", "far away") > 0);
	assert_true(arrive_text(f, "near", "v1", "far away") > 0);
	assert_true(arrive_bytes(f, "latin\xe9", "v1", "\xff\xfe", 2) > 0);
	struct score scores[2] = { { SLICE_LIT("cat"), 0.9f }, { SLICE_LIT("dog"), 0.25f } };
	struct content_id version = id_of("model", 5);
	struct change *c = change_new();
	struct record *r = change_add(c, RECORD_FACTS);
	r->facts = (struct record_facts){ .item = 1, .state = ITEM_NORMALIZED, .media = MEDIA_TEXT, .normalizer = 1,
		.media_type = SLICE_LIT("text/plain"), .facts = SLICE_LIT("{\"lines\":1}"), .canonical = id_of("one", 3) };
	r = change_add(c, RECORD_RUN);
	r->run = (struct record_run){ .item = 1, .model = SLICE_LIT("m"), .model_version = version, .scores = scores, .score_count = 2 };
	r = change_add(c, RECORD_STATE);
	r->state = (struct record_state){ .item = 1, .state = ITEM_INFERRED };
	r = change_add(c, RECORD_ANNOTATION);
	r->annotation = (struct record_annotation){ .item = 1, .concept = SLICE_LIT("cat"), .confidence = 0.9f,
		.status = STATUS_AWAITING_REVIEW, .worker = SLICE_LIT("model"), .model = SLICE_LIT("m"), .model_version = version,
		.time_ms = 7 };
	r = change_add(c, RECORD_STATE);
	r->state = (struct record_state){ .item = 1, .state = ITEM_ROUTED };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	c = change_new();
	r = change_add(c, RECORD_UNTIL);
	r->until = (struct record_until){ .item = 1, .n = 1 };
	r = change_add(c, RECORD_ANNOTATION);
	r->annotation = (struct record_annotation){ .item = 1, .concept = SLICE_LIT("cat"), .confidence = -1,
		.status = STATUS_SUCCESS, .worker = SLICE_LIT("user:ann"), .time_ms = 8 };
	r = change_add(c, RECORD_GONE);
	r->gone = (struct record_gone){ .source = SLICE_LIT("drop"), .key = SLICE_LIT("a/copy.txt"), .layout = LAYOUT_TREE };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
}

/* Puts the index back to what it was at the last keep_index(). */
static void keep_index(struct fixture *f)
{
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && rm -rf kept && cp -a index kept", f->dir), 0);
	assert_int_equal(fixture_open(f), 0);
}

static void restore_index(struct fixture *f)
{
	assert_int_equal(run_shell("cd '%s' && rm -rf index && cp -a kept index", f->dir), 0);
}

/* A store whose last batch is in the log and not in the index, as after a crash between the two. */
struct crash {
	char *before, *after;   /* all that it holds without and with the last batch */
	uint64_t mark, end;     /* the last batch lies between these offsets */
};

static void crash_make(struct fixture *f, struct crash *ret)
{
	char blob[5000];
	memset(blob, 'z', sizeof(blob));
	assert_int_equal(arrive_text(f, "a", "v1", "acknowledged"), 1);
	assert_int_equal(arrive_text(f, "b", "v1", "this too"), 2);
	keep_index(f);
	ret->before = say_all(f);
	ret->mark = segment_size(f, 1);
	struct filling fill = filling_new(f->store);
	fill_add(&fill, "c", "v1", false, blob, sizeof(blob));
	fill_add(&fill, "d", "v1", false, "small", 5);
	assert_int_equal(committer_wait(f->store, fill.change, &f->err), 3);
	ret->after = say_all(f);
	fixture_close(f);
	ret->end = segment_size(f, 1);
	assert_true(ret->end >= ret->mark + 8192);
	assert_int_equal(run_shell("cd '%s' && cp " SEGMENT_ONE " whole.tar", f->dir), 0);
}

static void crash_done(struct crash *c)
{
	free(c->before);
	free(c->after);
}

static void assert_is(struct fixture *f, const char *expected)
{
	CLEANUP(freep) char *is = say_all(f);
	assert_string_equal(is, expected);
	assert_verifies(f);
}

static void test_whole_batch_past_the_mark_is_taken(void **state)
{
	struct fixture *f = *state;
	struct crash c;
	crash_make(f, &c);
	restore_index(f);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->report.batches_recovered, 1);
	assert_int_equal(f->report.bytes_cut, 0);
	assert_is(f, c.after);
	fixture_reopen(f);
	assert_int_equal(f->report.batches_recovered, 0);
	crash_done(&c);
}

static void test_cut_at_every_block_keeps_what_was_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct crash c;
	crash_make(f, &c);
	for (uint64_t at = c.mark; at < c.end; at += 512) {
		restore_index(f);
		assert_int_equal(run_shell("cd '%s' && cp whole.tar " SEGMENT_ONE " && truncate -s %" PRIu64 " " SEGMENT_ONE, f->dir,
			at), 0);
		if (fixture_open(f) < 0)
			fail_msg("cut at %" PRIu64 ": %s", at, f->err.text);
		assert_int_equal(f->report.bytes_cut, at - c.mark);
		assert_is(f, c.before);
		assert_int_equal(arrive_text(f, "next", "v", "goes on"), 3);
		fixture_close(f);
	}
	crash_done(&c);
}

/* A block that never reached the disk reads as zeros. Where it was only padding the batch is whole all the same. */
static void test_any_lost_block_drops_the_batch_whole(void **state)
{
	struct fixture *f = *state;
	struct crash c;
	unsigned dropped = 0;
	unsigned taken = 0;
	crash_make(f, &c);
	for (uint64_t at = c.mark; at < c.end; at += 512) {
		restore_index(f);
		assert_int_equal(run_shell("cd '%s' && cp whole.tar " SEGMENT_ONE " && dd if=/dev/zero of=" SEGMENT_ONE
			" bs=512 seek=%" PRIu64 " count=1 conv=notrunc 2>/dev/null", f->dir, at / 512), 0);
		if (fixture_open(f) < 0)
			fail_msg("lost block at %" PRIu64 ": %s", at, f->err.text);
		assert_true(f->report.revision == 2 || f->report.revision == 3);
		assert_is(f, f->report.revision == 2 ? c.before : c.after);
		*(f->report.revision == 2 ? &dropped : &taken) += 1;
		fixture_close(f);
	}
	assert_true(dropped >= 14); /* two blob members of 12 blocks, the batch member of at least 2 */
	assert_true(taken >= 1);
	crash_done(&c);
}

static void test_rebuilt_index_equals_the_original(void **state)
{
	struct fixture *f = *state;
	struct store_report report;
	fill_richly(f);
	CLEANUP(freep) char *before = say_all(f);
	assert_non_null(strstr(before, "worker=user:ann"));
	fixture_close(f);
	assert_int_equal(store_rebuild(f->dir, &f->options, &report, &f->err), 0);
	assert_true(report.rebuilt);
	assert_int_equal(report.revision, f->report.revision + 9);
	assert_int_equal(fixture_open(f), 0);
	assert_false(f->report.rebuilt);
	assert_is(f, before);
}

static void test_missing_index_is_rebuilt(void **state)
{
	struct fixture *f = *state;
	fill_richly(f);
	CLEANUP(freep) char *before = say_all(f);
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && rm -rf index && mkdir index.new && touch index.new/data.mdb", f->dir), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_true(f->report.rebuilt);
	assert_false(f->report.created);
	assert_is(f, before);
	assert_int_equal(run_shell("[ ! -e '%s/index.new' ]", f->dir), 0);
}

static void test_rebuild_goes_over_segments(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	f->options.segment_bytes = 32 << 10;
	assert_int_equal(fixture_open(f), 0);
	fill_richly(f);
	CLEANUP(freep) char *before = say_all(f);
	assert_true(segment_size(f, 2) > 0);
	fixture_close(f);
	assert_int_equal(run_shell("rm -rf '%s/index'", f->dir), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_is(f, before);
}

static void test_torn_tail_is_cut_by_a_rebuild_too(void **state)
{
	struct fixture *f = *state;
	struct crash c;
	crash_make(f, &c);
	assert_int_equal(run_shell("cd '%s' && rm -rf index && dd if=/dev/zero of=" SEGMENT_ONE " bs=512 seek=%" PRIu64
		" count=1 conv=notrunc 2>/dev/null", f->dir, c.mark / 512 + 3), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->report.bytes_cut, c.end - c.mark);
	assert_is(f, c.before);
	crash_done(&c);
}

static void assert_refused(struct fixture *f, const char *because)
{
	assert_int_equal(fixture_open(f), -1);
	assert_int_equal(f->err.class, ERR_FATAL);
	if (!strstr(f->err.text, because))
		fail_msg("'%s' does not say '%s'", f->err.text, because);
}

static void test_log_cut_by_someone_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v1", "one"), 1);
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && truncate -s 8192 " SEGMENT_ONE, f->dir), 0);
	assert_refused(f, "inlet rebuild-index");
	assert_int_equal(run_shell("rm '%s/" SEGMENT_ONE "'", f->dir), 0);
	assert_refused(f, "from a backup");
}

/* Overwrites the header of the blob that batch `revision` begins with: the batch cannot be walked. */
static void test_damage_in_the_middle_cuts_nothing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v1", "one"), 1);
	keep_index(f);
	uint64_t second = segment_size(f, 1);
	assert_int_equal(arrive_text(f, "b", "v1", "two"), 2);
	assert_int_equal(arrive_text(f, "c", "v1", "three"), 3);
	fixture_close(f);
	uint64_t size = segment_size(f, 1);
	assert_int_equal(run_shell("cd '%s' && printf 'damage damage' | dd of=" SEGMENT_ONE " bs=1 seek=%" PRIu64
		" conv=notrunc 2>/dev/null", f->dir, second + 4096 + 600), 0); /* in the first line of batch 2 */
	assert_int_equal(run_shell("rm -rf '%s/index'", f->dir), 0);
	assert_refused(f, "the log is damaged: batch 2");
	assert_int_equal(segment_size(f, 1), size);
}

static void test_altered_blob_with_batches_behind_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v1", "one"), 1);
	keep_index(f);
	uint64_t second = segment_size(f, 1);
	assert_int_equal(arrive_text(f, "b", "v1", "two"), 2);
	assert_int_equal(arrive_text(f, "c", "v1", "three"), 3);
	fixture_close(f);
	restore_index(f);
	assert_int_equal(run_shell("cd '%s' && printf x | dd of=" SEGMENT_ONE " bs=1 seek=%" PRIu64 " conv=notrunc 2>/dev/null",
		f->dir, second + 512), 0);
	assert_refused(f, "the log is damaged: batch 2");
}

static void test_newer_format_is_refused_with_both_versions(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && sed -i 's/\"format\":1,/\"format\":9,/' " SEGMENT_ONE, f->dir), 0);
	assert_refused(f, "has format 9, this inlet reads up to 1");
}

static void test_index_of_another_store_is_refused(void **state)
{
	struct fixture *f = *state;
	struct fixture *other = fixture_at("/tmp");
	assert_int_equal(fixture_open(other), 0);
	fixture_close(other);
	fixture_close(f);
	assert_int_equal(run_shell("rm -rf '%s/index' && cp -a '%s/index' '%s/index'", f->dir, other->dir, f->dir), 0);
	assert_refused(f, "is the index of store");
	void *again = other;
	(void)fixture_teardown(&again);
}

static void test_sealed_segment_without_its_next_goes_on(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(arrive_text(f, "a", "v1", "one"), 1);
	fixture_close(f);
	assert_int_equal(run_shell("cd '%s' && head -c 4096 /dev/zero >> " SEGMENT_ONE
		" && head -c 1000 /dev/zero > store/segments/00000002.tar", f->dir), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->report.bytes_cut, 0);
	assert_int_equal(segment_size(f, 2), 0);
	assert_int_equal(arrive_text(f, "b", "v1", "two"), 2);
	assert_verifies(f);
}

/* Acknowledges in a child, says each revision through a pipe, and is killed. */
static void child_commits(struct fixture *f, int tell, unsigned round)
{
	if (fixture_open(f) < 0)
		_exit(1);
	for (unsigned i = 0;; i++) {
		char key[32];
		char text[3000];
		memset(text, 'a' + (int)(i % 26), sizeof(text));
		(void)snprintf(key, sizeof(key), "r%u-%u", round, i);
		(void)snprintf(text, 32, "round %u file %u", round, i);
		int64_t revision = arrive_bytes(f, key, "v", text, sizeof(text));
		if (revision <= 0 || write(tell, &revision, sizeof(revision)) != sizeof(revision))
			_exit(1);
	}
}

static void test_killed_at_any_moment_keeps_what_was_acknowledged(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	for (unsigned round = 0; round < 12; round++) {
		int ends[2];
		int64_t acknowledged = 0;
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			child_commits(f, ends[1], round);
		(void)close(ends[1]);
		for (unsigned n = 0; n < 1 + round * 3; n++)
			assert_int_equal(read(ends[0], &acknowledged, sizeof(acknowledged)), sizeof(acknowledged));
		usleep(round * 377);
		(void)kill(child, SIGKILL);
		while (read(ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged))
			;
		assert_int_equal(waitpid(child, NULL, 0), child);
		(void)close(ends[0]);
		if (fixture_open(f) < 0)
			fail_msg("round %u: %s", round, f->err.text);
		assert_true((int64_t)f->report.revision >= acknowledged);
		assert_true((int64_t)f->report.revision <= acknowledged + 1);
		assert_verifies(f);
		fixture_close(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_whole_batch_past_the_mark_is_taken),
		CASE(test_cut_at_every_block_keeps_what_was_acknowledged),
		CASE(test_any_lost_block_drops_the_batch_whole),
		CASE(test_rebuilt_index_equals_the_original),
		CASE(test_missing_index_is_rebuilt),
		CASE(test_rebuild_goes_over_segments),
		CASE(test_torn_tail_is_cut_by_a_rebuild_too),
		CASE(test_log_cut_by_someone_is_refused),
		CASE(test_damage_in_the_middle_cuts_nothing),
		CASE(test_altered_blob_with_batches_behind_is_refused),
		CASE(test_newer_format_is_refused_with_both_versions),
		CASE(test_index_of_another_store_is_refused),
		CASE(test_sealed_segment_without_its_next_goes_on),
		CASE(test_killed_at_any_moment_keeps_what_was_acknowledged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
