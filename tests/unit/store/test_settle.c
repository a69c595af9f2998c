/* test_settle.c - rows of manifests in a real store: which labels stand, whose word counts, and that the log alone gives all
 * of it again. */
#include "tests/unit/store/fixture.h"

#define CAT "{\"at\":\"text\",\"labels\":[{\"concept\":\"cat\",\"maker\":\"human\"}]}"
#define DOG "{\"at\":\"text\",\"labels\":[{\"concept\":\"dog\"}]}"
#define BOX(concept, x) "{\"concept\":\"" concept "\",\"geometry\":{\"kind\":\"box\",\"box\":[" x ",1,2,3]}}"

/* Begins import 1 (source "list"), or the next one. */
static void begin(struct fixture *f, const char *source)
{
	struct change *c = change_new();
	change_add(c, RECORD_SOURCE)->source = (struct record_source){
		.source = slice_of(source), .kind = SLICE_LIT("manifest"), .root = SLICE_LIT("/data/list.csv")
	};
	change_add(c, RECORD_IMPORT)->import = (struct record_import){ .source = slice_of(source), .format = SLICE_LIT("csv") };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
}

static void add_row(struct change *c, const char *source, uint64_t import, const char *key, uint64_t row, const char *body,
	bool fresh)
{
	change_add(c, RECORD_ROW)->row = (struct record_row){
		.import = import, .line = 2, .row = row, .body = slice_of(body), .source = slice_of(source), .key = slice_of(key),
		.fresh = fresh
	};
}

/* A row with its text arrives. */
static void row_with_text(struct fixture *f, const char *source, uint64_t import, const char *key, const char *text, const char *body)
{
	struct filling fill = filling_new(f->store);
	memcpy(arena_payload(fill.arena), text, strlen(text));
	struct arrival a = { .source = slice_of(source), .key = slice_of(key), .layout = LAYOUT_FLAT,
		.content = id_of(text, strlen(text)), .bytes = strlen(text), .how = ARRIVAL_ARENA, .fd = -1 };
	a.place = arena_member(fill.arena, &a.content, strlen(text));
	change_arrive(fill.change, &a);
	if (body)
		add_row(fill.change, source, import, key, 0, body, true);
	if (committer_wait(f->store, fill.change, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static int64_t row_alone(struct fixture *f, uint64_t import, const char *key, uint64_t row, const char *body)
{
	struct change *c = change_new();
	add_row(c, "list", import, key, row, body, false);
	return committer_wait(f->store, c, &f->err);
}

/* "cat imported SUCCESS human o1; …" of the labels that stand on an item. */
static char *labels_of(struct fixture *f, uint64_t item)
{
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *as;
	struct buf to = { 0 };
	size_t n;
	assert_int_equal(view_annotations(v, item, 0, &as, &n, &f->err), 0);
	for (size_t i = 0; i < n; i++)
		buf_printf(&to, "%s%.*s %.*s %s %s o%" PRIu64 "%s%.*s", i ? "; " : "", (int)as[i].concept.len, as[i].concept.p,
			(int)as[i].worker.len, as[i].worker.p, strchr(status_name(as[i].status), '_') + 1, maker_name(as[i].maker),
			as[i].object, as[i].reason == REASON_CONFLICT ? " conflict" : "", (int)as[i].geometry.len, as[i].geometry.p);
	buf_str(&to, "");
	return buf_take(&to);
}

static void assert_labels(struct fixture *f, uint64_t item, const char *expected)
{
	CLEANUP(freep) char *labels = labels_of(f, item);
	assert_string_equal(labels, expected);
}

static void assert_rebuilds(struct fixture *f)
{
	CLEANUP(freep) char *before = say_all(f);
	CLEANUP(freep) char *labels = labels_of(f, 1);
	fixture_close(f);
	assert_int_equal(store_rebuild(f->dir, &f->options, &f->report, &f->err), 0);
	assert_int_equal(fixture_open(f), 0);
	CLEANUP(freep) char *after = say_all(f);
	CLEANUP(freep) char *labels_after = labels_of(f, 1);
	assert_string_equal(after, before);
	assert_string_equal(labels_after, labels);
	assert_verifies(f);
}

static void test_a_row_labels_its_item(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	assert_labels(f, 1, "cat imported SUCCESS human o1");
	assert_rebuilds(f);
}

static void test_an_edited_row_changes_what_it_said(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	assert_true(row_alone(f, 1, "a", 1, DOG) > 0);
	assert_labels(f, 1, "dog imported SUCCESS unknown o1");
	assert_rebuilds(f);
}

static void test_labels_of_several_rows_are_united(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", "{\"at\":\"text\",\"labels\":[" BOX("cat", "1") "," BOX("cat", "1") "]}");
	assert_true(row_alone(f, 1, "a", 0, "{\"at\":\"text\",\"labels\":[" BOX("cat", "1") "," BOX("cat", "5") "]}") > 0);
	assert_labels(f, 1, "cat imported SUCCESS unknown o1{\"kind\":\"box\",\"box\":[1,1,2,3]}; "
			    "cat imported SUCCESS unknown o1{\"kind\":\"box\",\"box\":[5,1,2,3]}");
	struct change *c = change_new();
	change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ 1, 1 };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	assert_rebuilds(f);
	c = change_new();
	change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ 1, 2 };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	assert_labels(f, 1, "");
}

#define SAYS(concept, more) "{\"concept\":\"" concept "\",\"confidence\":0.12345678901234566,\"attributes\":{" more "}}"

/* Of two annotators who said the same, both stand; and what a label says beyond changes with its row. */
static void test_labels_keep_their_attributes(void **state)
{
	struct fixture *f = *state;
	const struct annotation *as;
	size_t n;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", "{\"at\":\"text\",\"labels\":[" SAYS("cat", "\"id\":1") "," SAYS("cat", "\"id\":2") "]}");
	assert_labels(f, 1, "cat imported SUCCESS unknown o1; cat imported SUCCESS unknown o1");
	assert_rebuilds(f);
	assert_true(row_alone(f, 1, "a", 1, "{\"at\":\"text\",\"labels\":[" SAYS("cat", "\"id\":2") "," SAYS("cat", "\"id\":3.50") "]}") > 0);
	assert_rebuilds(f);
	CLEANUP(view_closep) struct view *v = view_of(f);
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, 2);
	assert_true(slice_eq(as[0].attributes, SLICE_LIT("{\"id\":2}")) && slice_eq(as[1].attributes, SLICE_LIT("{\"id\":3.50}")));
	assert_true(as[0].n == 2 && as[0].confidence == 0.12345678901234566);
}

static void test_two_lists_that_disagree_wait_for_review(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	begin(f, "other");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	row_with_text(f, "other", 2, "x", "mew", DOG);
	assert_labels(f, 1, "cat imported AWAITING_REVIEW human o1 conflict; dog imported AWAITING_REVIEW unknown o2 conflict");
	assert_rebuilds(f);
	/* The second one learns better. */
	struct change *c = change_new();
	add_row(c, "other", 2, "x", 2, CAT, false);
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	assert_labels(f, 1, "cat imported SUCCESS human o1; cat imported SUCCESS human o2");
}

static void test_a_list_that_says_less_does_not_disagree(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", "{\"at\":\"text\",\"labels\":[{\"concept\":\"cat\"},{\"concept\":\"out\"}]}");
	row_with_text(f, "list", 1, "b", "mew", "{\"at\":\"text\",\"labels\":[{\"concept\":\"cat\"}]}");
	row_with_text(f, "list", 1, "c", "mew", "{\"at\":\"text\"}");
	row_with_text(f, "list", 1, "d", "mew", "{\"at\":\"text\",\"labels\":[{\"concept\":\"dog\",\"status\":\"ANNOTATION_AWAITING_REVIEW\"}]}");
	assert_labels(f, 1, "cat imported SUCCESS unknown o1; out imported SUCCESS unknown o1; cat imported SUCCESS unknown o2; "
			    "dog imported AWAITING_REVIEW unknown o4");
}

static void annotate(struct fixture *f, const char *concept, const char *worker, enum annotation_status status, uint32_t until)
{
	struct change *c = change_new();
	if (until)
		change_add(c, RECORD_UNTIL)->until = (struct record_until){ 1, until };
	change_add(c, RECORD_ANNOTATION)->annotation = (struct record_annotation){ .item = 1, .concept = slice_of(concept),
		.confidence = -1, .status = status, .worker = slice_of(worker) };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
}

static void test_a_persons_word_stays(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	annotate(f, "cat", "user:ann", STATUS_REVIEW_DENIED, 1);
	row_with_text(f, "list", 1, "b", "mew", CAT);
	assert_labels(f, 1, "cat user:ann REVIEW_DENIED unknown o0");
	row_with_text(f, "list", 1, "c", "mew", "{\"at\":\"text\",\"labels\":[{\"concept\":\"cat\"},{\"concept\":\"out\"}]}");
	assert_labels(f, 1, "cat user:ann REVIEW_DENIED unknown o0; out imported SUCCESS unknown o3");
}

static void test_a_models_suggestion_gives_way(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", "{\"at\":\"text\"}");
	annotate(f, "cat", "model", STATUS_AWAITING_REVIEW, 0);
	annotate(f, "dog", "model", STATUS_AWAITING_REVIEW, 0);
	assert_true(row_alone(f, 1, "a", 1, CAT) > 0);
	assert_labels(f, 1, "dog model AWAITING_REVIEW unknown o0; cat imported SUCCESS human o1");
}

static void test_labels_go_with_the_content_of_their_row(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	row_with_text(f, "list", 1, "a", "miaow", NULL); /* the row's bytes changed, its labels did not */
	assert_labels(f, 1, "");
	assert_labels(f, 2, "cat imported SUCCESS human o1");
	assert_rebuilds(f);
}

/* A text that very many rows share: settled in one go, and none of it written again. */
/* Texts of one content, each a row of its own: says(i) is the body of row i. */
static void add_rows(struct fixture *f, int count, const char *(*says)(int i))
{
	struct filling fill = filling_new(f->store);
	for (int i = 0; i < count; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%d", i);
		memcpy(arena_payload(fill.arena), "ok", 2);
		struct arrival a = { .source = SLICE_LIT("list"), .key = slice_of(key), .layout = LAYOUT_FLAT, .content = id_of("ok", 2),
			.bytes = 2, .how = ARRIVAL_ARENA, .fd = -1 };
		if (i % 200 == 0 && i > 0) {
			assert_true(committer_wait(f->store, fill.change, &f->err) > 0);
			fill = filling_new(f->store);
			memcpy(arena_payload(fill.arena), "ok", 2);
		}
		a.place = arena_member(fill.arena, &a.content, 2);
		change_arrive(fill.change, &a);
		struct slice name = change_copy(fill.change, slice_of(key));
		change_add(fill.change, RECORD_ROW)->row = (struct record_row){ .import = 1, .line = 2,
			.body = change_copy(fill.change, slice_of(says(i))), .source = SLICE_LIT("list"), .key = name, .fresh = true };
	}
	assert_true(committer_wait(f->store, fill.change, &f->err) > 0);
}

/* Under valgrind a tenth of them: the rest is more of the same, and there to show that nothing is quadratic. */
static int many(int rows)
{
	return getenv("INLET_SLOW") ? rows / 10 : rows;
}

static const char *always_cat(int i)
{
	(void)i;
	return CAT;
}

static const char *cat_or_dog(int i)
{
	return i % 2 ? DOG : CAT;
}

static void test_many_rows_of_one_content(void **state)
{
	struct fixture *f = *state;
	const int rows = many(3000);
	begin(f, "list");
	add_rows(f, rows, always_cat);
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *as;
	size_t n;
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, rows);
	assert_int_equal(as[rows - 1].n, rows);
}

/* Each is compared with those of its own reference only. */
static void test_many_rows_that_contradict_each_other(void **state)
{
	struct fixture *f = *state;
	const int rows = many(10000);
	begin(f, "list");
	add_rows(f, rows, cat_or_dog);
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *as;
	size_t n;
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, rows);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(as[i].reason, REASON_CONFLICT);
}

static const char *name_of_its_own(int i)
{
	static char body[100];
	(void)snprintf(body, sizeof(body), "{\"at\":\"text\",\"labels\":[{\"concept\":\"thing\"},{\"concept\":\"name%d\"}]}", i);
	return body;
}

static void assert_all_but_thing_in_conflict(struct fixture *f, size_t rows)
{
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *as;
	size_t n;
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, 2 * rows);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(as[i].reason == REASON_CONFLICT, !slice_eq(as[i].concept, SLICE_LIT("thing")));
}

/* However many names there are, none of them stands as if nobody had said otherwise. */
static void test_many_rows_that_all_say_something_else(void **state)
{
	struct fixture *f = *state;
	const int rows = many(20000);
	begin(f, "list");
	add_rows(f, rows, name_of_its_own);
	assert_all_but_thing_in_conflict(f, (size_t)rows);
	assert_true(row_alone(f, 1, "k0", 1, name_of_its_own(0)) > 0); /* all of it is looked at: it stands as it should */
	assert_all_but_thing_in_conflict(f, (size_t)rows);
	CLEANUP(view_closep) struct view *v = view_of(f);
	const struct annotation *every;
	size_t n;
	assert_int_equal(view_annotations(v, 1, REVISION_ANY, &every, &n, &f->err), 0);
	assert_true(n < 2 * (size_t)rows + 1000); /* hardly any was written twice */
}

/* What is remembered of an item gives way to what others do to it. */
static void test_a_persons_word_on_what_many_rows_name(void **state)
{
	struct fixture *f = *state;
	CLEANUP(view_closep) struct view *v = NULL;
	const struct annotation *as;
	size_t n, birds = 0;
	begin(f, "list");
	add_rows(f, 200, cat_or_dog);
	annotate(f, "bird", "user:ann", STATUS_SUCCESS, 0);
	annotate(f, "cow", "model", STATUS_AWAITING_REVIEW, 0);
	row_with_text(f, "list", 1, "more1", "ok", "{\"at\":\"text\",\"labels\":[{\"concept\":\"bird\"},{\"concept\":\"cow\"}]}");
	row_with_text(f, "list", 1, "more2", "ok", CAT);
	v = view_of(f);
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, 203); /* 201 cats and dogs, a person's bird, and the list's cow in the place of the model's */
	for (size_t i = 0; i < n; i++) {
		bool bird = slice_eq(as[i].concept, SLICE_LIT("bird"));
		birds += bird;
		assert_true(bird ? slice_eq(as[i].worker, SLICE_LIT("user:ann")) : as[i].reason == REASON_CONFLICT);
	}
	assert_int_equal(birds, 1);
	view_close(TAKE_PTR(v)); /* the store is closed there */
	assert_rebuilds(f);
}

static const char *shared_or_less(int i)
{
	return i < 150 ? "{\"at\":\"text\",\"labels\":[{\"concept\":\"cat\"},{\"concept\":\"pet\"}]}" :
			 "{\"at\":\"text\",\"labels\":[{\"concept\":\"pet\"}]}";
}

/* The first to say otherwise comes late, when what the others say is remembered. */
static void test_a_late_contradiction_is_one_of_all(void **state)
{
	struct fixture *f = *state;
	CLEANUP(view_closep) struct view *v = NULL;
	const struct annotation *as;
	size_t n;
	begin(f, "list");
	add_rows(f, 300, shared_or_less);
	v = view_of(f);
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, 450);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(as[i].reason, REASON_NONE);
	row_with_text(f, "list", 1, "late", "ok", "{\"at\":\"text\",\"labels\":[{\"concept\":\"dog\"},{\"concept\":\"pet\"}]}");
	assert_int_equal(view_renew(v, &f->err), 0);
	assert_int_equal(view_annotations(v, 1, 0, &as, &n, &f->err), 0);
	assert_int_equal(n, 452);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(as[i].reason == REASON_CONFLICT, !slice_eq(as[i].concept, SLICE_LIT("pet")));
	view_close(TAKE_PTR(v));
	assert_rebuilds(f);
}

static void test_imports_rows_and_their_failures_are_listed(void **state)
{
	struct fixture *f = *state;
	begin(f, "list");
	begin(f, "other");
	row_with_text(f, "list", 1, "a", "mew", CAT);
	struct change *c = change_new();
	change_add(c, RECORD_FAILURE)->failure = (struct record_failure){ .subject = SUBJECT_ROW, .number = row_number(2, 17),
		.reason = SLICE_LIT("a quote that never ends"), .row = SLICE_LIT("{\"column\":7}") };
	change_add(c, RECORD_IMPORT)->import = (struct record_import){ .import = 2, .source = SLICE_LIT("other"),
		.format = SLICE_LIT("clarifai"), .header = SLICE_LIT("input\n"), .attributes = SLICE_LIT("{\"info\":{}}"), .rows = 3, .failed = 1, .vanished = 2, .complete = true };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	assert_rebuilds(f);
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct import import;
	const struct import_row *rows;
	struct failure failure;
	size_t n;
	assert_int_equal(view_import_of(v, SLICE_LIT("other"), &import, &f->err), 1);
	assert_true(import.id == 2 && import.rows == 3 && import.failed == 1 && import.vanished == 2 && import.complete);
	assert_true(slice_eq(import.format, SLICE_LIT("clarifai")) && slice_eq(import.header, SLICE_LIT("input\n")));
	assert_true(slice_eq(import.attributes, SLICE_LIT("{\"info\":{}}")));
	assert_true(slice_eq(import.file, SLICE_LIT("/data/list.csv")));
	assert_int_equal(view_import_next(v, 0, &import, &f->err), 1);
	assert_true(import.id == 1 && !import.complete);
	assert_int_equal(view_import_next(v, 2, &import, &f->err), 0);
	assert_int_equal(view_import_of(v, SLICE_LIT("none"), &import, &f->err), 0);
	assert_int_equal(view_rows(v, 1, &rows, &n, &f->err), 0);
	assert_true(n == 1 && rows[0].row == 1 && rows[0].import == 1 && slice_eq(rows[0].body, SLICE_LIT(CAT)));
	assert_int_equal(view_last_row(v), 1);
	assert_int_equal(view_failure_next(v, SUBJECT_ITEM, UINT64_MAX - 1, &failure, &f->err), 1);
	assert_true(failure.subject == SUBJECT_ROW && failure.number == row_number(2, 17) && failure.stage == STAGE_NONE);
	assert_true(slice_eq(failure.source, SLICE_LIT("other")) && slice_eq(failure.row, SLICE_LIT("{\"column\":7}")));
	c = change_new();
	change_add(c, RECORD_MENDED)->mended = (struct record_mended){ row_number(2, 17) };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
	struct totals totals;
	assert_int_equal(view_renew(v, &f->err), 0);
	assert_int_equal(view_totals(v, &totals, &f->err), 0);
	assert_int_equal(totals.quarantined, 0);
}

/* A file of a source, labelled by its folder. */
static void file_with_text(struct fixture *f, const char *key, const char *text, const char *body)
{
	struct filling fill = filling_new(f->store);
	memcpy(arena_payload(fill.arena), text, strlen(text));
	struct arrival a = { .source = SLICE_LIT("drop"), .key = slice_of(key), .layout = LAYOUT_TREE,
		.content = id_of(text, strlen(text)), .bytes = strlen(text), .how = ARRIVAL_ARENA, .fd = -1 };
	a.place = arena_member(fill.arena, &a.content, strlen(text));
	change_arrive(fill.change, &a);
	change_add(fill.change, RECORD_ROW)->row = (struct record_row){ .body = slice_of(body), .source = a.source, .key = a.key,
		.layout = LAYOUT_TREE, .fresh = true };
	if (committer_wait(f->store, fill.change, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void file_gone(struct fixture *f, const char *key)
{
	struct change *c = change_new();
	change_add(c, RECORD_GONE)->gone = (struct record_gone){ .source = SLICE_LIT("drop"), .key = slice_of(key),
		.layout = LAYOUT_TREE };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
}

static void test_a_folder_speaks_of_the_files_in_it(void **state)
{
	struct fixture *f = *state;
	file_with_text(f, "cat/1", "x", CAT);
	assert_labels(f, 1, "cat imported SUCCESS human o1");
	file_with_text(f, "dog/1", "x", DOG);
	assert_labels(f, 1, "cat imported AWAITING_REVIEW human o1 conflict; dog imported AWAITING_REVIEW unknown o2 conflict");
	file_gone(f, "cat/1"); /* it has moved */
	assert_labels(f, 1, "dog imported SUCCESS unknown o2");
	file_gone(f, "dog/1"); /* it is nowhere: what it was last stays known */
	assert_labels(f, 1, "dog imported SUCCESS unknown o2");
	assert_rebuilds(f);
}

#define SIDECAR(concept) "{\"at\":\"sidecar\",\"where\":\"x.json\",\"labels\":[{\"concept\":\"" concept "\"}]}"
#define DIRECTORY(concept) "{\"at\":\"directory\",\"labels\":[{\"concept\":\"" concept "\"}]}"

/* What is said of an object by the sidecar beside it. */
static void sidecar_says(struct fixture *f, uint64_t object, const char *body)
{
	struct change *c = change_new();
	change_add(c, RECORD_ROW)->row = (struct record_row){ .object = object, .body = slice_of(body) };
	assert_true(committer_wait(f->store, c, &f->err) > 0);
}

static void test_what_a_sidecar_said_stays_until_another_speaks_of_the_moved_file(void **state)
{
	struct fixture *f = *state;
	file_with_text(f, "cat/1", "x", DIRECTORY("cat"));
	sidecar_says(f, 1, SIDECAR("tabby"));
	assert_labels(f, 1, "cat imported SUCCESS unknown o1; tabby imported SUCCESS unknown o1");
	file_with_text(f, "pet/1", "x", DIRECTORY("pet"));
	file_gone(f, "cat/1");
	assert_labels(f, 1, "tabby imported AWAITING_REVIEW unknown o1 conflict; pet imported AWAITING_REVIEW unknown o2 conflict");
	sidecar_says(f, 2, SIDECAR("lynx"));
	assert_labels(f, 1, "pet imported SUCCESS unknown o2; lynx imported SUCCESS unknown o2");
	assert_rebuilds(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_row_labels_its_item),
		CASE(test_an_edited_row_changes_what_it_said),
		CASE(test_labels_of_several_rows_are_united),
		CASE(test_labels_keep_their_attributes),
		CASE(test_two_lists_that_disagree_wait_for_review),
		CASE(test_a_list_that_says_less_does_not_disagree),
		CASE(test_a_persons_word_stays),
		CASE(test_a_models_suggestion_gives_way),
		CASE(test_labels_go_with_the_content_of_their_row),
		CASE(test_many_rows_of_one_content),
		CASE(test_many_rows_that_contradict_each_other),
		CASE(test_many_rows_that_all_say_something_else),
		CASE(test_a_persons_word_on_what_many_rows_name),
		CASE(test_a_late_contradiction_is_one_of_all),
		CASE(test_imports_rows_and_their_failures_are_listed),
		CASE(test_a_folder_speaks_of_the_files_in_it),
		CASE(test_what_a_sidecar_said_stays_until_another_speaks_of_the_moved_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
