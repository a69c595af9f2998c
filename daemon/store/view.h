/* view.h - what readers ask the index: a snapshot, held under a second, then renewed. Plain data out (daemon/model/item.h).
 *
 * Slices and arrays that a view returns live until view_renew() or view_close() (they are copied into the view's memory or
 * lie in the map). Inside a committer's prepare (committer.h) the view reads the write transaction and its slices live
 * until the next record is applied: copy what you keep. One thread at a time; any number of views. */
#ifndef INLET_STORE_VIEW_H
#define INLET_STORE_VIEW_H

#include "daemon/base/cleanup.h"
#include "daemon/model/item.h"

struct store;
struct view;

int view_open(struct store *s, struct view **ret, struct err *err);
void view_close(struct view *v);                                /* NULL allowed */
CLEANUP_FN(struct view *, view_close)
int view_renew(struct view *v, struct err *err);                /* a fresh snapshot; forgets all that it returned */
/* Lets go of the snapshot: a view that is kept for later pins no pages. Only view_renew() and view_close() may follow. */
void view_rest(struct view *v);

uint64_t view_revision(struct view *v);
int view_item(struct view *v, uint64_t id, struct item *ret, struct err *err);             /* 1 found, 0 not, -1 */
uint64_t view_item_by_content(struct view *v, const struct content_id *id);                /* 0: unknown */
/* The next item after `after` in id order; with state != ITEM_NONE only items in it. 1, 0 at the end, -1. */
int view_item_next(struct view *v, uint64_t after, enum item_state state, struct item *ret, struct err *err);
/* Arrays in number order. references: gone ones only when asked for. annotations: those that stand at revision (0: now), or
 * every one that there ever was. */
#define REVISION_ANY UINT64_MAX
int view_references(struct view *v, uint64_t item, bool gone_too, const struct reference **ret, size_t *ret_n, struct err *err);
int view_annotations(struct view *v, uint64_t item, uint64_t revision, const struct annotation **ret, size_t *ret_n,
	struct err *err);
int view_runs(struct view *v, uint64_t item, const struct run **ret, size_t *ret_n, struct err *err);
/* Items that have a run of this model version, in item order after `after`: for re-routing. 1, 0, -1. */
int view_run_next(struct view *v, const struct content_id *model_version, uint64_t after, uint64_t *ret_item, struct err *err);

/* Where derived bytes lie. 1, 0, -1. */
int view_derived(struct view *v, uint64_t item, enum derived_kind kind, struct record_derived *ret, struct err *err);

struct work {
	enum stage stage;
	enum media media;
	int64_t due_ms;
	uint64_t number;  /* item; STAGE_FETCH: object */
	uint32_t attempts;
};
/* media is what is known of the item when it enters the state: MEDIA_UNKNOWN before its first facts and for STAGE_FETCH.
 * due_ms is 0 until an attempt has failed. */
/* Work of one stage and media kind due by now_ms (INT64_MAX: all), in (due, number) order, strictly after *after (NULL:
 * from the start). At most max rows into ret. Returns how many, -1. */
int view_work(struct view *v, enum stage stage, enum media media, int64_t now_ms, const struct work *after, struct work *ret,
	size_t max, struct err *err);
uint64_t view_work_count(struct view *v, enum stage stage, enum media media, bool retrying); /* counters; retrying: attempts > 0 */

/* The ledger. An object by (source, key), or by number. 1, 0, -1. Of an object that is retrying, quarantined or archived, version and
 * bytes are those that were tried last; its item, if it has one, came from an older version. In a tree a file and a directory
 * of one name may both have rows. view_object() and a walk show the one that is not GONE, of two that are GONE the file. Only
 * until a pass has concluded what became of the other can both be not GONE: then view_object() shows the file, and a walk both,
 * the file first. */
struct ledger_row {
	struct slice name;        /* below its place */
	bool directory;
	enum object_state state;
	bool racy;
	struct slice version;
	uint64_t bytes, object, item;
	int64_t due_ms;           /* ARCHIVED: a listing that shows it as readable is believed from here on; else 0 */
};
int view_object(struct view *v, struct slice source, enum layout layout, struct slice key, struct ledger_row *ret, struct err *err);
int view_object_by_number(struct view *v, uint64_t object, struct slice *ret_source, struct slice *ret_key, struct ledger_row *ret,
	struct err *err);
/* Digest of the PRESENT rows and known directories below one place (tree): sum over digest128_add(key, name '\0' version)
 * and, for directories, (name '\0' "/"). trusted: no row is racy, retrying or quarantined. 1 known, 0 unknown place, -1. */
struct place_digest {
	struct digest128 digest;
	uint64_t count;
	uint32_t skipped;
	bool mounted;
	bool trusted;
};
int view_place(struct view *v, struct slice source, struct slice place, struct place_digest *ret, struct err *err);
const struct hash_key *view_digest_key(struct view *v);
/* Walk the rows below one place in byte order of names, starting strictly after `after` (empty: from the start). Rows that
 * are GONE are included, with their state. */
struct ledger_walk;
int view_walk(struct view *v, struct slice source, enum layout layout, struct slice place, struct slice after,
	struct ledger_walk **ret, struct err *err);
int ledger_next(struct ledger_walk *w, struct ledger_row *ret, struct err *err);    /* 1, 0 at the end, -1 */
void ledger_close(struct ledger_walk *w);

struct source_row {
	struct slice name, kind, root, state, message;
	int64_t last_pass_ms;     /* last complete pass; 0: never */
	uint64_t present, gone, skipped, quarantined, retrying, archived;
};
int view_source(struct view *v, struct slice name, struct source_row *ret, struct err *err);        /* 1, 0, -1 */
int view_source_next(struct view *v, struct slice after, struct source_row *ret, struct err *err);  /* by name; 1, 0, -1 */

/* Failures in (subject, number) order after the given one (number 0: from the start). 1, 0, -1. */
int view_failure_next(struct view *v, enum failure_subject subject, uint64_t number, struct failure *ret, struct err *err);
int view_failure(struct view *v, enum failure_subject subject, uint64_t number, struct failure *ret, struct err *err);

/* Imports. view_import_next(): the next one after `after` in order of numbers. Of a source: the import that it is. 1, 0, -1. */
int view_import(struct view *v, uint64_t id, struct import *ret, struct err *err);
int view_import_next(struct view *v, uint64_t after, struct import *ret, struct err *err);
int view_import_of(struct view *v, struct slice source, struct import *ret, struct err *err);
/* What rows of manifests say of an object, in order of their numbers; an array that lives as others of the view. 0, -1. */
int view_rows(struct view *v, uint64_t object, const struct import_row **ret, size_t *ret_n, struct err *err);
/* Of several references: those of the first, then those of the next. */
int view_rows_of(struct view *v, const struct reference *refs, size_t ref_count, const struct import_row **ret, size_t *ret_n,
	struct err *err);
uint64_t view_last_row(struct view *v); /* the highest number given to a row */

struct totals {
	uint64_t items, by_state[ITEM_STATES], by_status[STATUSES];
	uint64_t stored_bytes, segments, large;
	uint64_t quarantined, retrying, archived; /* failures */
};
int view_totals(struct view *v, struct totals *ret, struct err *err);

/* Small named values that the stages keep (band digests, decoder version). Writing: committer_set_meta(). */
int view_meta(struct view *v, const char *name, struct slice *ret); /* 1, 0, -1 */

#endif
