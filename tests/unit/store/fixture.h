/* fixture.h - a real store in a fresh directory, and short ways to fill it and to say all that is in it. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/store.h"
#include "daemon/store/view.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	char dir[128];
	struct store_options options;
	struct store *store; /* NULL while closed */
	struct store_report report;
	struct err err;
};

static inline int run_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int run_shell(const char *fmt, ...)
{
	va_list ap;
	char *command = NULL;
	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) > 0);
	va_end(ap);
	int status = system(command);
	free(command);
	return status;
}

static inline int fixture_open(struct fixture *f)
{
	return store_open(f->dir, &f->options, &f->store, &f->report, &f->err);
}

static inline void fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static inline struct fixture *fixture_at(const char *parent)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "%s/inlet-test-XXXXXX", parent);
	assert_non_null(mkdtemp(f->dir));
	f->options = (struct store_options){
		.map_bytes = 1ULL << 30,
		.segment_bytes = 1ULL << 30,
		.arena_bytes = 16U << 20,
	};
	return f;
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = fixture_at(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	*state = f;
	if (fixture_open(f) < 0)
		fail_msg("%s", f->err.text);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	(void)run_shell("rm -rf '%s'", f->dir);
	free(f);
	return 0;
}

/* Closed and opened again; fails the test with the store's own words. */
static inline void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	if (fixture_open(f) < 0)
		fail_msg("%s", f->err.text);
}

static inline struct content_id id_of(const void *p, size_t n)
{
	struct content_id id;
	struct sha256 *h = sha256_new();
	sha256_of(h, p, n, id.sha256);
	sha256_free(h);
	return id;
}

/* A change's arrival of bytes in its arena, which is made when the change has none yet. */
struct filling {
	struct change *change;
	struct arena *arena;
};

static inline struct filling filling_new(struct store *s)
{
	struct filling fill = { .change = change_new(), .arena = arena_get(store_arenas(s), ARENA_BYTES / 2) };
	assert_non_null(fill.arena);
	change_arena(fill.change, fill.arena);
	return fill;
}

static inline void fill_add(struct filling *fill, const char *key, const char *version, bool racy, const void *p, size_t n)
{
	assert_true(arena_room(fill->arena) >= n);
	memcpy(arena_payload(fill->arena), p, n);
	struct arrival a = {
		.source = SLICE_LIT("drop"),
		.key = slice_of(key),
		.version = slice_of(version),
		.layout = LAYOUT_TREE,
		.racy = racy,
		.content = id_of(p, n),
		.bytes = n,
		.how = ARRIVAL_ARENA,
		.fd = -1,
	};
	a.place = arena_member(fill->arena, &a.content, n);
	change_arrive(fill->change, &a);
}

/* One file arrives. Returns the revision. */
static inline int64_t arrive_bytes(struct fixture *f, const char *key, const char *version, const void *p, size_t n)
{
	struct filling fill = filling_new(f->store);
	fill_add(&fill, key, version, false, p, n);
	return committer_wait(f->store, fill.change, &f->err);
}

static inline int64_t arrive_text(struct fixture *f, const char *key, const char *version, const char *text)
{
	return arrive_bytes(f, key, version, text, strlen(text));
}

static inline int64_t arrive_reference(struct fixture *f, const char *key, const char *version, const char *text)
{
	struct change *c = change_new();
	struct arrival a = {
		.source = SLICE_LIT("drop"),
		.key = slice_of(key),
		.version = slice_of(version),
		.layout = LAYOUT_TREE,
		.content = id_of(text, strlen(text)),
		.bytes = strlen(text),
		.how = ARRIVAL_REFERENCE,
		.fd = -1,
	};
	change_arrive(c, &a);
	return committer_wait(f->store, c, &f->err);
}

static inline struct view *view_of(struct fixture *f)
{
	struct view *v;
	if (view_open(f->store, &v, &f->err) < 0)
		fail_msg("%s", f->err.text);
	return v;
}

static inline bool item_of(struct fixture *f, uint64_t id, struct item *ret)
{
	CLEANUP(view_closep) struct view *v = view_of(f);
	int found = view_item(v, id, ret, &f->err);
	assert_true(found >= 0);
	ret->media_type = ret->facts = (struct slice){ 0 }; /* they die with the view */
	return found > 0;
}

static inline void say_slice(struct buf *to, const char *name, struct slice s)
{
	buf_printf(to, " %s=", name);
	text_printable(to, s);
}

/* All that a reader sees of the dataset, as text: two stores with the same text hold the same. */
static inline char *say_all(struct fixture *f)
{
	CLEANUP(view_closep) struct view *v = view_of(f);
	struct buf to = { 0 };
	struct item item = { 0 };
	struct totals totals;
	buf_printf(&to, "revision %" PRIu64 "\n", view_revision(v));
	while (view_item_next(v, item.id, ITEM_NONE, &item, &f->err) > 0) {
		char hex[CONTENT_ID_HEX + 1];
		text_hex(item.content.sha256, SHA256_BYTES, hex);
		buf_printf(&to, "item %" PRIu64 " %s bytes=%" PRIu64 " at=%d/%u/%" PRIu64 " state=%s media=%d %ux%u", item.id, hex,
			item.bytes, item.at.kind, item.at.segment, item.at.offset, item_state_name(item.state), item.media,
			item.width, item.height);
		say_slice(&to, "type", item.media_type);
		say_slice(&to, "facts", item.facts);
		buf_char(&to, '\n');
		const struct reference *refs;
		const struct annotation *notes;
		const struct run *runs;
		size_t n;
		assert_int_equal(view_references(v, item.id, true, &refs, &n, &f->err), 0);
		for (size_t i = 0; i < n; i++) {
			buf_printf(&to, "  o%" PRIu64 " state=%d racy=%d", refs[i].object, refs[i].state, refs[i].racy);
			say_slice(&to, "key", refs[i].key);
			say_slice(&to, "version", refs[i].version);
			buf_char(&to, '\n');
		}
		assert_int_equal(view_runs(v, item.id, &runs, &n, &f->err), 0);
		for (size_t i = 0; i < n; i++) {
			buf_printf(&to, "  run scores=%zu", runs[i].score_count);
			say_slice(&to, "model", runs[i].model);
			buf_char(&to, '\n');
		}
		assert_int_equal(view_annotations(v, item.id, 0, &notes, &n, &f->err), 0);
		for (size_t i = 0; i < n; i++) {
			buf_printf(&to, "  annotation %u since=%" PRIu64 " %s", notes[i].n, notes[i].since,
				status_name(notes[i].status));
			say_slice(&to, "concept", notes[i].concept);
			say_slice(&to, "worker", notes[i].worker);
			buf_char(&to, '\n');
		}
	}
	assert_int_equal(view_totals(v, &totals, &f->err), 0);
	buf_printf(&to, "items=%" PRIu64 " stored=%" PRIu64 " large=%" PRIu64 "\n", totals.items, totals.stored_bytes,
		totals.large);
	return buf_take(&to);
}

/* Are the item's stored bytes these? */
static inline void assert_stored(struct fixture *f, uint64_t id, const void *p, size_t n)
{
	struct item item;
	int fd;
	uint64_t offset;
	assert_true(item_of(f, id, &item));
	assert_int_equal(item.bytes, n);
	if (store_blob(f->store, &item, &fd, &offset, &f->err) < 0)
		fail_msg("%s", f->err.text);
	char *bytes = mem_alloc(n);
	assert_int_equal(file_read_at(fd, bytes, n, offset, &f->err), 0);
	assert_memory_equal(bytes, p, n);
	free(bytes);
	(void)close(fd);
}

static inline void collect_problem(void *arg, const char *text)
{
	buf_str(arg, text);
	buf_char(arg, '\n');
}

static inline void assert_verifies(struct fixture *f)
{
	CLEANUP(buf_done) struct buf problems = { 0 };
	struct verify_report r;
	if (store_verify(f->store, 0, 1, collect_problem, &problems, &r, &f->err) < 0)
		fail_msg("%s", f->err.text);
	if (r.problems)
		fail_msg("%s", problems.data);
}

static inline uint64_t segment_size(struct fixture *f, unsigned number)
{
	struct stat st;
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/store/segments/%08u.tar", f->dir, number);
	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
