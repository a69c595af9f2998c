/* merge.c - the merge-join of a page with the ledger. */
#include "daemon/stages/merge.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/imports/list.h"
#include "daemon/manifest/sidecar.h"
#include "daemon/stages/fetch.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_sidecar.h"

#include <stdlib.h>

#define DROP_ENTRIES 20000 /* a pass of any length keeps no more of the index in memory than their rows: about 1 KB each */

/* One page on its way through the merge. */
struct join {
	struct merge *m;
	struct pipeline *p;
	const struct page *page;
	struct view *view;
	struct buf key;               /* place '/' name, reused */
	const struct entry **fetch;   /* to be read */
	size_t fetch_count, fetch_cap;
	struct change *change;        /* returned objects and new directories; NULL while there are none */
	struct returned *returned;    /* in it, where sidecars may wait for them; NULL none */
};

/* A key that came back. Lives in the change that says so. */
struct returned {
	const struct returned *next;
	const struct source *source;
	struct slice key;
};

void merge_init(struct merge *m, struct source *s, struct absent *absent)
{
	*m = (struct merge){ .source = s, .absent = absent };
	pthread_mutex_init(&m->lock, NULL);
}

void merge_done(struct merge *m)
{
	for (size_t i = 0; i < m->view_count; i++)
		view_close(m->views[i]);
	pthread_mutex_destroy(&m->lock);
}

static int view_borrow(struct merge *m, struct view **ret, struct err *err)
{
	struct view *v = NULL;
	pthread_mutex_lock(&m->lock);
	if (m->view_count > 0)
		v = m->views[--m->view_count];
	pthread_mutex_unlock(&m->lock);
	if (v ? view_renew(v, err) < 0 : view_open(source_pipeline(m->source)->store, &v, err) < 0) {
		view_close(v);
		return -1;
	}
	*ret = v;
	return 0;
}

static void view_give(struct merge *m, struct view *v, size_t entries)
{
	view_rest(v); /* no snapshot is held while it lies here */
	pthread_mutex_lock(&m->lock);
	m->walked += entries;
	bool much = m->walked >= DROP_ENTRIES;
	if (much)
		m->walked = 0;
	if (m->view_count < sizeof(m->views) / sizeof(*m->views)) {
		m->views[m->view_count++] = v;
		v = NULL;
	}
	pthread_mutex_unlock(&m->lock);
	view_close(v);
	if (much)
		store_drop_cache(source_pipeline(m->source)->store);
}

static struct slice name_slice(struct source *s)
{
	return slice_of(source_name(s));
}

static struct slice full_key(struct join *j, struct slice name)
{
	if (j->page->place.len == 0)
		return name;
	j->key.len = 0;
	buf_add(&j->key, j->page->place.p, j->page->place.len);
	buf_char(&j->key, '/');
	buf_add(&j->key, name.p, name.len);
	return buf_slice(&j->key);
}

/* Sum over the entries as view_place() keeps it over the rows. False: an entry alone shows that the page must be merged. */
static bool page_digest(struct join *j, struct digest128 *ret)
{
	const struct hash_key *key = view_digest_key(j->view);
	char text[256 + 1 + VERSION_TOKEN_MAX];
	*ret = (struct digest128){ 0, 0 };
	for (size_t i = 0; i < j->page->count; i++) {
		const struct entry *e = &j->page->entries[i];
		struct slice version = e->kind == ENTRY_DIRECTORY ? SLICE_LIT("/") : e->version;
		if (e->kind == ENTRY_SETTLING || e->racy || e->name.len > 255 || version.len > VERSION_TOKEN_MAX)
			return false;
		memcpy(text, e->name.p, e->name.len);
		text[e->name.len] = '\0';
		memcpy(text + e->name.len + 1, version.p, version.len);
		digest128_add(ret, key, text, e->name.len + 1 + version.len);
	}
	return true;
}

static bool unchanged(struct join *j, const struct place_digest *known, bool is_known)
{
	struct digest128 now;
	return is_known && known->trusted && known->count == j->page->count && page_digest(j, &now) &&
		now.lo == known->digest.lo && now.hi == known->digest.hi;
}

static struct change *join_change(struct join *j)
{
	if (!j->change)
		j->change = change_new();
	return j->change;
}

static void note_directory(struct join *j, struct slice key, uint32_t skipped, bool mounted)
{
	struct change *c = join_change(j);
	struct slice copy = change_copy(c, key);
	struct record *r = change_add(c, RECORD_DIRECTORY);
	r->directory = (struct record_directory){ .source = name_slice(j->m->source), .key = copy, .skipped = skipped,
		.mounted = mounted };
}

static void want(struct join *j, const struct entry *e)
{
	if (j->fetch_count == j->fetch_cap) {
		j->fetch_cap = j->fetch_cap ? 2 * j->fetch_cap : 64;
		j->fetch = mem_resize(j->fetch, j->fetch_cap, sizeof(*j->fetch));
	}
	j->fetch[j->fetch_count++] = e;
}

static int prepare_returned(struct change *c, struct view *now, void *arg, struct err *err)
{
	for (const struct returned *r = arg; r; r = r->next)
		if (source_sidecar_wake(r->source, c, now, r->key, err) < 0)
			return -1;
	return 0;
}

static void note_returned(struct join *j, struct slice key)
{
	struct returned *r = change_alloc(j->change, sizeof(*r));
	*r = (struct returned){ j->returned, j->m->source, key };
	j->returned = r;
	change_prepare(j->change, prepare_returned, r);
}

/* The key was gone and is back with the very version that its item came from: nothing to read. */
static void returned(struct join *j, const struct entry *e, const struct ledger_row *row)
{
	struct change *c = join_change(j);
	struct slice key = change_copy(c, full_key(j, e->name)), version = change_copy(c, e->version);
	struct record *r = change_add(c, RECORD_OBJECT);
	r->object = (struct record_object){ .source = name_slice(j->m->source), .key = key, .version = version,
		.layout = source_ops(j->m->source)->layout, .bytes = e->bytes, .object = row->object, .item = row->item };
	if (source_sidecars(j->m->source))
		note_returned(j, key);
}

/* Nothing is read before it is restored, and nothing is wrong with it either. */
static void note_archived(struct join *j, const struct entry *e)
{
	struct change *c = join_change(j);
	struct slice key = change_copy(c, full_key(j, e->name)), version = change_copy(c, e->version);
	struct record *r = change_add(c, RECORD_FAILURE);
	r->failure = (struct record_failure){ .subject = SUBJECT_OBJECT, .stage = STAGE_FETCH, .archived = true,
		.reason = SLICE_LIT(ARCHIVED_REASON), .cure = SLICE_LIT(ARCHIVED_CURE), .source = name_slice(j->m->source), .key = key,
		.version = version, .layout = source_ops(j->m->source)->layout, .bytes = e->bytes };
}

/* The listing shows a file: it was restored, or its class does not tell (a fetch found it archived) and it is tried again. */
static bool is_restored(const struct ledger_row *row)
{
	return row->state == OBJECT_ARCHIVED && row->due_ms <= clock_wall_ms();
}

/* Did it come before `sidecars` was what it is now, as something else: as an item, or as none? Or has what it said been dropped
 * since, when the option was off for a while? 1, 0, -1. */
static int is_misread(struct join *j, const struct entry *e, const struct ledger_row *row, struct err *err)
{
	if (!j->m->thorough || sidecar_subject(e->name).len == 0)
		return 0;
	bool is_item = row->item != 0;
	int misread = !source_sidecars(j->m->source) ? row->state != OBJECT_PRESENT || !is_item : is_item ? 1 :
		row->state != OBJECT_PRESENT ? 0 : source_sidecar_unsaid(j->m->source, j->view, full_key(j, e->name), err);
	if (misread > 0)
		atomic_fetch_add_explicit(&j->m->misread, 1, memory_order_relaxed);
	return misread;
}

static int both(struct join *j, const struct entry *e, const struct ledger_row *row, struct err *err)
{
	bool same = slice_eq(e->version, row->version);
	int wanted = 0;
	if (e->kind == ENTRY_SETTLING)
		return 0;
	if (row->state == OBJECT_PRESENT && !same)
		atomic_fetch_add_explicit(&j->p->changed_objects, 1, memory_order_relaxed);
	bool is_item = row->item != 0 && !source_sidecar_is(j->m->source, e->name);
	if (row->state == OBJECT_GONE && same && is_item && !e->racy && !row->racy)
		returned(j, e, row);
	else if (e->kind == ENTRY_ARCHIVED && !(same && (row->state == OBJECT_PRESENT || row->state == OBJECT_ARCHIVED)))
		note_archived(j, e);
	else if (e->kind == ENTRY_FILE)
		wanted = !same || row->racy || row->state == OBJECT_GONE || is_restored(row) ? 1 : is_misread(j, e, row, err);
	if (wanted > 0)
		want(j, e);
	return wanted < 0 ? -1 : 0;
}

static int missing(struct join *j, const struct ledger_row *row, struct err *err)
{
	if (row->state == OBJECT_GONE)
		return 0;
	return absent_add(j->m->absent, full_key(j, row->name), row->directory, err);
}

static int entry_order(const void *a, const void *b)
{
	return slice_cmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void fresh(struct join *j, const struct entry *e)
{
	if (e->kind == ENTRY_DIRECTORY) {
		note_directory(j, full_key(j, e->name), 0, false);
	} else if (e->kind == ENTRY_FILE) {
		atomic_fetch_add_explicit(&j->p->new_objects, 1, memory_order_relaxed);
		want(j, e);
	} else if (e->kind == ENTRY_ARCHIVED) {
		note_archived(j, e);
	}
}

/* One entry beside the rows of the same name: a name that changed from file to directory, or back, may have one of each,
 * and only the one of the other kind is gone. Moves *row on. */
static int meet(struct join *j, const struct entry *e, struct ledger_walk *rows, struct ledger_row *row, struct err *err)
{
	bool matched = false;
	int have = 1;
	while (have > 0 && slice_eq(e->name, row->name)) {
		if ((e->kind == ENTRY_DIRECTORY) != row->directory) {
			if (missing(j, row, err) < 0)
				return -1;
		} else {
			matched = true;
			if (!row->directory && both(j, e, row, err) < 0)
				return -1;
			if (row->directory && row->state == OBJECT_GONE)
				fresh(j, e);
		}
		have = ledger_next(rows, row, err);
	}
	if (!matched)
		fresh(j, e);
	return have;
}

static bool in_range(const struct join *j, struct slice name)
{
	bool whole = source_ops(j->m->source)->layout == LAYOUT_TREE || j->page->open_ended;
	return whole || slice_cmp(name, j->page->upto) <= 0;
}

static int walk(struct join *j, struct ledger_walk *rows, struct err *err)
{
	const struct page *page = j->page;
	struct ledger_row row;
	int have = ledger_next(rows, &row, err);
	for (size_t i = 0; have >= 0;) {
		if (have > 0 && !in_range(j, row.name))
			have = 0;
		if (have == 0 && i == page->count)
			return 0;
		int order = have == 0 ? -1 : i == page->count ? 1 : slice_cmp(page->entries[i].name, row.name);
		if (order < 0)
			fresh(j, &page->entries[i++]);
		else if (order == 0)
			have = meet(j, &page->entries[i++], rows, &row, err);
		else
			have = missing(j, &row, err) < 0 ? -1 : ledger_next(rows, &row, err);
	}
	return -1;
}

static int by_locality(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
	return (x->locality > y->locality) - (x->locality < y->locality);
}

/* Those that are sidecars, or those that are not. *b: a batch under way, NULL none. */
static int fetch_either(struct join *j, bool sidecars, struct fetch_batch **b, struct err *err)
{
	for (size_t i = 0; i < j->fetch_count; i++) {
		const struct entry *e = j->fetch[i];
		struct object o = { .key = full_key(j, e->name), .version = e->version, .bytes = e->bytes, .racy = e->racy };
		if (source_sidecar_is(j->m->source, o.key) != sidecars)
			continue;
		if (!*b)
			*b = fetch_batch_new(j->m->source);
		if (fetch_batch_add(*b, &o, 0) && fetch_submit(j->p->fetcher, TAKE_PTR(*b), err) < 0)
			return -1;
	}
	return 0;
}

static int fetch_wanted(struct join *j, struct err *err)
{
	struct fetch_batch *b = NULL;
	if (j->fetch_count == 0)
		return 0;
	qsort(j->fetch, j->fetch_count, sizeof(*j->fetch), by_locality);
	/* Sidecars after the files, for which they would wait. */
	if (fetch_either(j, false, &b, err) < 0 || (source_sidecars(j->m->source) && fetch_either(j, true, &b, err) < 0))
		return -1;
	return fetch_submit(j->p->fetcher, b, err);
}

static void noted(void *arg, int64_t revision, const struct err *err)
{
	struct pipeline *p = arg;
	if (revision < 0 && err->class == ERR_FATAL)
		account_fail(p->account, err);
	account_give(p->account, 1);
}

static int submit_noted(struct join *j, struct err *err)
{
	if (!j->change)
		return 0;
	account_take(j->p->account, 1);
	if (committer_submit(j->p->store, TAKE_PTR(j->change), noted, j->p, err) == 0)
		return 0;
	account_give(j->p->account, 1);
	return -1;
}

/* Empty because what was mounted here is not, nor was it while this program looked: its files are not gone. */
static bool lost_mount(const struct page *page, const struct place_digest *known)
{
	return known->mounted && known->count > 0 && !page->mounted && page->count == 0 && page->skipped == 0;
}

static void pass_over(struct merge *m, struct slice place, const char *why)
{
	struct buf text = { 0 };
	text_printable(&text, place);
	LOG_DEBUG(LOG_DETAIL, "%s: '%s': %s", source_name(m->source), text.data ? text.data : "", why);
	buf_done(&text);
	pthread_mutex_lock(&m->lock);
	if (m->unreadable++ == 0)
		(void)snprintf(m->passed_over, sizeof(m->passed_over), "%s", why);
	pthread_mutex_unlock(&m->lock);
}

static void lost_mount_passed_over(struct merge *m, struct slice place)
{
	struct buf shown = { 0 };
	text_shown(&shown, place);
	CLEANUP(freep) char *why = mem_printf("a file system was mounted on '%s': mount it again, or remove the directory",
		shown.data ? shown.data : "");
	buf_done(&shown);
	pass_over(m, place, why);
}

static int join_page(struct join *j, struct err *err)
{
	enum layout layout = source_ops(j->m->source)->layout;
	struct slice source = name_slice(j->m->source);
	struct place_digest known = { 0 };
	int is_known = layout == LAYOUT_TREE ? view_place(j->view, source, j->page->place, &known, err) : 0;
	if (is_known < 0)
		return -1;
	if (is_known && lost_mount(j->page, &known)) {
		lost_mount_passed_over(j->m, j->page->place);
		return 0;
	}
	if (layout == LAYOUT_TREE && (!is_known || known.skipped != j->page->skipped || known.mounted != j->page->mounted))
		note_directory(j, j->page->place, j->page->skipped, j->page->mounted);
	if (j->m->thorough || !unchanged(j, &known, is_known > 0)) {
		struct ledger_walk *rows;
		if (layout == LAYOUT_TREE && j->page->count > 1)
			qsort(j->page->entries, j->page->count, sizeof(*j->page->entries), entry_order);
		if (view_walk(j->view, source, layout, j->page->place, j->page->after, &rows, err) < 0)
			return -1;
		int ok = walk(j, rows, err);
		ledger_close(rows);
		if (ok < 0)
			return -1;
	}
	return 0;
}

/* What is no manifest in a source of manifests is passed over, as what is ignored by name. Returns the entries that are left, which
 * the caller frees. */
static struct entry *only_manifests(struct merge *m, struct page *page)
{
	CLEANUP(buf_done) struct buf key = { 0 };
	struct entry *left = mem_zero(page->count, sizeof(*left));
	size_t n = 0;
	for (size_t i = 0; i < page->count; i++) {
		const struct entry *e = &page->entries[i];
		key.len = 0;
		buf_add(&key, page->place.p, page->place.len);
		if (page->place.len)
			buf_char(&key, '/');
		buf_add(&key, e->name.p, e->name.len);
		if (e->kind == ENTRY_DIRECTORY || import_list_is(source_config(m->source), buf_slice(&key)))
			left[n++] = *e;
		else
			page->skipped++;
	}
	page->entries = left;
	page->count = n;
	return left;
}

int merge_page(void *arg, const struct page *whole, struct err *err)
{
	struct merge *m = arg;
	struct page own = *whole, *page = &own;
	CLEANUP(freep) struct entry *left = source_config(m->source)->manifest ? only_manifests(m, &own) : NULL;
	struct pipeline *p = source_pipeline(m->source);
	account_step(p->account);
	if (account_stopping(p->account) || source_paused(m->source))
		return err_set(err, ERR_RETRY, 0, "stopping");
	if (source_check(m->source, err) < 0)
		return -1;
	if (page->failed) {
		pass_over(m, page->place, page->failed->text);
		return 0;
	}
	for (size_t i = 0; i < page->count; i++)
		if (page->entries[i].kind == ENTRY_SETTLING)
			atomic_fetch_add_explicit(&m->settling, 1, memory_order_relaxed);
	struct join j = { .m = m, .p = p, .page = page };
	if (view_borrow(m, &j.view, err) < 0)
		return -1;
	int ok = join_page(&j, err);
	view_give(m, j.view, page->count); /* before the queue may block: no snapshot is held while waiting */
	if (ok == 0)
		ok = submit_noted(&j, err);
	if (ok == 0)
		ok = fetch_wanted(&j, err);
	change_free(j.change);
	free(j.fetch);
	buf_done(&j.key);
	return ok;
}
