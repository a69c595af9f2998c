/* test_buckets.c - what the stages make of a bucket's listing: new, changed, gone, returned, archived, throttled. */
#include "daemon/stages/bytes.h"
#include "tests/unit/stages/script_fixture.h"

#define S(literal) SLICE_LIT(literal)

static void five(void)
{
	script_add(S("../up"), "1", "dots");
	script_add(S("/lead"), "1", "leading");
	script_add(S("a"), "1", "same");
	script_add(S("a/"), "1", "");
	script_add(S("a/b//c"), "1", "same");
}

static void test_every_key_arrives_and_an_unchanged_bucket_costs_nothing(void **state)
{
	struct flow *f = *state;
	five();
	flow_start(f, "");
	assert_int_equal(flow_source(f).present, 5);
	assert_int_equal(script.gets, 5);
	assert_int_equal(flow_counts(f).items_new, 4); /* two carry the same bytes */
	uint64_t revision = flow_revision(f);
	int64_t noted_ms = flow_source(f).last_pass_ms;
	int lists = script.lists;
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).last_pass_ms, noted_ms); /* not even the index is written */
	assert_int_equal(script.gets, 5);
	assert_true(script.lists > lists);
	assert_int_equal(flow_revision(f), revision);
	assert_string_equal(flow_view(f).kind, "s3");
	assert_string_equal(flow_view(f).watching, "poll");
}

static void test_changed_gone_and_returned(void **state)
{
	struct flow *f = *state;
	five();
	flow_start(f, "");
	script_get("a")->version = "2";
	script_get("a")->bytes = "other";
	script_remove("/lead");
	flow_sync(f, 0);
	assert_int_equal(script.gets, 6);
	assert_int_equal(flow_state(f, S("/lead")), OBJECT_GONE);
	assert_int_equal(flow_state(f, S("a")), OBJECT_PRESENT);
	assert_int_equal(flow_state(f, S("a/b//c")), OBJECT_PRESENT);
	struct drain_counts n = flow_counts(f);
	assert_true(n.objects_changed == 1 && n.objects_gone == 1 && n.quarantined == 0 && n.retrying == 0);
	script.count = 0;
	five();
	script_get("a")->version = "2";
	flow_sync(f, 0);
	assert_int_equal(script.gets, 6); /* the version that was known: nothing to read */
	assert_int_equal(flow_state(f, S("/lead")), OBJECT_PRESENT);
}

static void test_a_listing_that_breaks_concludes_nothing(void **state)
{
	struct flow *f = *state;
	five();
	flow_start(f, "");
	script_remove("a/b//c");
	script_remove("../up");
	script_add(S("z"), "1", "new");
	script.page = 1;
	script.fails_after = 4; /* "z" is on the page before; "../up" is known to be missing from the first */
	flow_sync(f, 0);
	assert_int_equal(flow_state(f, S("z")), OBJECT_PRESENT);
	assert_int_equal(flow_source(f).gone, 0);
	assert_int_equal(flow_counts(f).offline, 1);
	assert_string_equal(flow_view(f).state, "offline");
	assert_string_equal(flow_view(f).message, "the listing broke");
	script.fails_after = 0;
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).gone, 2);
	assert_int_equal(flow_counts(f).offline, 0);
}

static void test_pages_in_any_order_are_one_listing(void **state)
{
	struct flow *f = *state;
	five();
	script.page = 2;
	script.backwards = true;
	flow_start(f, "");
	assert_int_equal(flow_source(f).present, 5);
	script_remove("a/");
	flow_sync(f, 0);
	assert_int_equal(flow_state(f, S("a/")), OBJECT_GONE);
	assert_int_equal(flow_source(f).gone, 1);
	assert_int_equal(script.gets, 5);
}

static void test_an_emptied_bucket_is_a_complete_listing(void **state)
{
	struct flow *f = *state;
	five();
	flow_start(f, "");
	script.count = 0;
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).gone, 5);
	assert_int_equal(flow_counts(f).items_new, 4); /* items stay */
}

/* 1,024 bytes, 341 characters of three bytes, bytes that are no text, neighbours that differ in the last byte: one a page. */
static void test_the_longest_keys_survive_page_boundaries(void **state)
{
	struct flow *f = *state;
	static char keys[6][1024];
	size_t lengths[6] = { 479, 480, 481, 1023, 1024, 1023 };
	for (int i = 0; i < 5; i++)
		memset(keys[i], 'k', sizeof(keys[i]));
	keys[4][1023] = '\x01';
	for (int i = 0; i < 341; i++)
		memcpy(keys[5] + 3 * i, "\xe2\x82\xac", 3);
	for (int i = 0; i < 6; i++)
		script_add((struct slice){ keys[i], lengths[i] }, "1", i % 2 ? "odd" : "even");
	script_add(S("\xff\xff"), "1", "no text");
	script.page = 1;
	flow_start(f, "");
	assert_int_equal(flow_source(f).present, 7);
	flow_sync(f, 0);
	assert_int_equal(script.gets, 7);
	assert_int_equal(flow_source(f).gone, 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(flow_state(f, (struct slice){ keys[i], lengths[i] }), OBJECT_PRESENT);
	script.objects[3] = script.objects[--script.count]; /* 1,023 of 'k' go; the last one moves up: order does not matter below */
	script.count = 3;
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).gone, 4);
	assert_int_equal(flow_state(f, (struct slice){ keys[2], 481 }), OBJECT_PRESENT);
	assert_int_equal(flow_state(f, (struct slice){ keys[4], 1024 }), OBJECT_GONE);
}

static void test_archived_objects_are_noted_and_fetched_when_restored(void **state)
{
	struct flow *f = *state;
	five();
	script_get("a")->kind = ENTRY_ARCHIVED;
	script_get("/lead")->archived_on_fetch = true;
	flow_start(f, "");
	assert_int_equal(flow_source(f).archived, 2);
	assert_int_equal(flow_source(f).present, 3);
	assert_int_equal(script.gets, 4); /* what the listing shows as archived is not asked for */
	struct drain_counts n = flow_counts(f);
	assert_true(n.quarantined == 0 && n.retrying == 0);
	flow_sync(f, 0);
	assert_int_equal(script.gets, 4); /* nor is, within a day, what a fetch found so */
	script_get("a")->kind = ENTRY_FILE;
	flow_sync(f, 0);
	assert_int_equal(flow_state(f, S("a")), OBJECT_PRESENT);
	assert_int_equal(flow_source(f).archived, 1);
	script_get("a/b//c")->kind = ENTRY_ARCHIVED; /* what was read before it went there stays */
	flow_sync(f, 0);
	assert_int_equal(flow_state(f, S("a/b//c")), OBJECT_PRESENT);
	assert_int_equal(script.gets, 5);
}

static void test_throttled_objects_arrive_at_the_servers_pace(void **state)
{
	struct flow *f = *state;
	five();
	script_get("a")->throttled = 2;
	script_get("a/")->throttled = 1;
	flow_start(f, "concurrency: 2");
	assert_int_equal(flow_source(f).present, 5);
	assert_int_equal(script.gets, 8);
	assert_int_equal(flow_counts(f).retrying, 0);
}

static void test_what_changes_while_it_is_read_is_found_by_another_pass(void **state)
{
	struct flow *f = *state;
	five();
	script_get("a")->becomes = "2";
	flow_start(f, "");
	assert_int_equal(flow_source(f).present, 5);
	assert_int_equal(script.gets, 6);
	assert_int_equal(flow_counts(f).retrying, 0);
}

static void test_one_bad_object_stops_no_other(void **state)
{
	struct flow *f = *state;
	five();
	script_get("a")->version = "broken";
	flow_start(f, "");
	assert_int_equal(flow_source(f).present, 4);
	assert_int_equal(flow_source(f).quarantined, 1);
	flow_sync(f, 0);
	assert_int_equal(script.gets, 5); /* the same version is not tried again */
	script_get("a")->version = "2";
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).present, 5);
}

static char names[200][8];

static void many(void)
{
	for (int i = 0; i < 200; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%04d", i);
		script_add(slice_of(names[i]), "1", names[i]);
	}
	script.page = 50;
}

static void test_much_gone_at_once_is_asked_about(void **state)
{
	struct flow *f = *state;
	many();
	flow_start(f, "on_gone: exclude, max_vanish: 0.5");
	script.count = 99;
	script_get("0000")->version = "2";
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).gone, 0);
	assert_int_equal(flow_counts(f).offline, 1);
	assert_string_equal(flow_view(f).state, "held");
	assert_string_equal(flow_view(f).message, "101 of 200 objects are gone at once, more than max_vanish (0.5) allows: nothing is "
		"concluded from it. If that is right: inlet sync b --accept-gone");
	assert_int_equal(script.gets, 201); /* what is new or changed is taken all the same */
	flow_sync(f, SYNC_GONE);
	assert_int_equal(flow_source(f).gone, 101);
	assert_string_equal(flow_view(f).state, "live");
	script.count = 50;
	flow_sync(f, 0); /* up to 100 objects are believed */
	assert_int_equal(flow_source(f).gone, 150);
}

static void test_an_acceptance_is_for_one_source_and_one_pass(void **state)
{
	struct flow *f = *state;
	many();
	flow_start(f, "on_gone: exclude");
	assert_int_equal(pipeline_sync(f->pipeline, NULL, SYNC_GONE, &f->err), -1);
	assert_int_equal(f->err.class, ERR_REJECT);
	flow_sync(f, SYNC_GONE);
	script.count = 100;
	flow_sync(f, 0);
	assert_string_equal(flow_view(f).state, "held");
}

static void test_where_items_stay_nothing_is_asked(void **state)
{
	struct flow *f = *state;
	many();
	flow_start(f, "");
	script.count = 1;
	flow_sync(f, 0);
	assert_int_equal(flow_source(f).gone, 199);
}

static void assert_excluded(struct flow *f, uint64_t item, int excluded)
{
	struct view *v;
	assert_int_equal(view_open(f->store, &v, &f->err), 0);
	assert_int_equal(pipeline_excluded(f->pipeline, v, item, &f->err), excluded);
	view_close(v);
}

static void test_items_without_objects_are_excluded_where_that_is_wanted(void **state)
{
	struct flow *f = *state;
	script_add(S("a"), "1", "same");
	script_add(S("b"), "1", "same");
	flow_start(f, "on_gone: exclude");
	script_remove("a");
	flow_sync(f, 0);
	assert_excluded(f, 1, 0); /* "b" carries it still */
	script_remove("b");
	flow_sync(f, 0);
	assert_excluded(f, 1, 1);
	script_add(S("b"), "1", "same");
	flow_sync(f, 0);
	assert_excluded(f, 1, 0);
	f->config->sources[0].on_gone = ON_GONE_KEEP;
	script_remove("b");
	flow_sync(f, 0);
	assert_excluded(f, 1, 0);
}

static void test_by_reference_bytes_are_read_again_and_pinned(void **state)
{
	struct flow *f = *state;
	CLEANUP(close_fdp) int fd = -1;
	struct item item;
	struct view *v;
	uint64_t offset;
	char bytes[16] = "";
	script_add(S("k"), "1", "content");
	flow_start(f, "store: reference");
	assert_int_equal(view_open(f->store, &v, &f->err), 0);
	assert_int_equal(view_item(v, 1, &item, &f->err), 1);
	assert_int_equal(item.at.kind, LOCATION_REFERENCE);
	assert_int_equal(pipeline_bytes(f->pipeline, &item, &fd, &offset, &f->err), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)offset), 7);
	assert_string_equal(bytes, "content");
	assert_int_equal(script.gets, 2);
	close_fdp(&fd);
	script_get("k")->version = "2";
	assert_int_equal(pipeline_bytes(f->pipeline, &item, &fd, &offset, &f->err), -1);
	assert_string_equal(f->err.text, "'k' of source 'b': has changed");
	script_get("k")->version = "1";
	script_get("k")->bytes = "changed without a new version";
	assert_int_equal(pipeline_bytes(f->pipeline, &item, &fd, &offset, &f->err), -1);
	assert_string_equal(f->err.text,
		"'k' of source 'b': is not the same content any more; the next pass over 'b' decides");
	script_get("k")->archived_on_fetch = true; /* its content is known: this is a matter of waiting, not of quarantine */
	assert_int_equal(pipeline_bytes(f->pipeline, &item, &fd, &offset, &f->err), -1);
	assert_true(f->err.class == ERR_RETRY && f->err.sys == FETCH_ARCHIVED);
	view_close(v);
}

struct findings {
	char text[512];
};

static void find_source_b(void *arg, const char *level, const char *check, const char *found, const char *cure)
{
	struct findings *f = arg;
	size_t n = strlen(f->text);
	if (strncmp(check, "source b", 8) == 0)
		(void)snprintf(f->text + n, sizeof(f->text) - n, "%s|%s|%s|%s\n", level, check, found, cure);
}

static void test_the_doctor_asks_the_connector(void **state)
{
	struct flow *f = *state;
	struct findings findings = { "" };
	script_add(S("k"), "1", "content");
	flow_start(f, "prefix: /p");
	pipeline_doctor(f->pipeline, find_source_b, &findings);
	assert_string_equal(findings.text, "ok|source b|s3://things//p, live, poll|\n"
		"ok|source b: credentials|from a script|\n"
		"warn|source b: clock|2 min late|set it\n"
		"fail|source b: list|denied|allow s3:ListBucket\n");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, flow_setup, flow_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_key_arrives_and_an_unchanged_bucket_costs_nothing),
		T(test_changed_gone_and_returned),
		T(test_a_listing_that_breaks_concludes_nothing),
		T(test_pages_in_any_order_are_one_listing),
		T(test_an_emptied_bucket_is_a_complete_listing),
		T(test_the_longest_keys_survive_page_boundaries),
		T(test_archived_objects_are_noted_and_fetched_when_restored),
		T(test_throttled_objects_arrive_at_the_servers_pace),
		T(test_what_changes_while_it_is_read_is_found_by_another_pass),
		T(test_one_bad_object_stops_no_other),
		T(test_much_gone_at_once_is_asked_about),
		T(test_an_acceptance_is_for_one_source_and_one_pass),
		T(test_where_items_stay_nothing_is_asked),
		T(test_the_doctor_asks_the_connector),
		T(test_items_without_objects_are_excluded_where_that_is_wanted),
		T(test_by_reference_bytes_are_read_again_and_pinned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
