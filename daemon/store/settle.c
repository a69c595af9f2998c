/* settle.c - imported labels as a difference. */
#include "daemon/store/settle.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/model/import_body.h"
#include "daemon/store/settled.h"
#include "daemon/store/view_internal.h"

#include <float.h>
#include <stdlib.h>

#define IMPORTED SLICE_LIT("imported")
#define USER "user:"
#define CONFIDENCE_MAX ((double)FLT_MAX) /* what the log's reader takes */
#define OTHERS_MAX 32 /* annotations among which those of the first reference are looked for */

/* A label that a reference of the item came with. */
struct wanted {
	struct slice concept, geometry, attributes;
	double confidence;
	enum annotation_status status;
	enum annotation_maker maker;
	enum annotation_reason reason;
	uint64_t object;
};
struct settle {
	struct change *c;               /* also the memory of what wanted's slices point to */
	uint64_t item;
	struct wanted *wanted;
	size_t count, cap;
	const struct annotation *as;    /* those that stand */
	size_t as_count;
	bool *kept;                     /* of as */
	size_t *imported;               /* of as, those of references, by their object */
	size_t imported_count;
	bool any_user;                  /* among as is a person's */
	size_t references;              /* whose rows were looked at */
	bool any_own;                   /* among these rows is one of a source, of its folder or a sidecar (import 0) */
};

static bool same_label(const struct wanted *a, const struct wanted *b)
{
	return a->object == b->object && slice_eq(a->concept, b->concept) && slice_eq(a->geometry, b->geometry) &&
		slice_eq(a->attributes, b->attributes);
}

/* Rows of one object are united: the same label twice is one. */
static void want(struct settle *s, uint64_t object, const struct label *l)
{
	bool any_confidence = l->confidence >= 0 && l->confidence <= CONFIDENCE_MAX;
	struct wanted w = { .concept = l->concept, .geometry = l->geometry, .attributes = l->attributes,
		.confidence = any_confidence ? l->confidence : -1, .status = l->status, .maker = l->maker, .object = object };
	for (size_t i = s->count; i > 0 && s->wanted[i - 1].object == object; i--)
		if (same_label(&s->wanted[i - 1], &w))
			return;
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 8;
		s->wanted = mem_resize(s->wanted, s->cap, sizeof(*s->wanted));
	}
	w.concept = change_copy(s->c, l->concept);
	w.geometry = change_copy(s->c, l->geometry);
	w.attributes = change_copy(s->c, l->attributes);
	s->wanted[s->count++] = w;
}

static int want_row(struct settle *s, uint64_t object, struct slice text, struct err *err)
{
	struct reader r;
	struct import_body body;
	struct label l;
	int more;
	if (import_body_read(text, &r, &body, err) < 0)
		return -1;
	struct label_walk w = { .rest = body.labels };
	while ((more = label_next(&w, &l, err)) > 0)
		want(s, object, &l);
	label_walk_done(&w);
	reader_done(&r);
	return more;
}

static int by_object(const void *a, const void *b, void *as)
{
	const struct annotation *of = as;
	uint64_t x = of[*(const size_t *)a].object, y = of[*(const size_t *)b].object;
	return x < y ? -1 : x > y;
}

static void sort_imported(struct settle *s)
{
	s->imported = mem_zero(s->as_count + 1, sizeof(*s->imported));
	for (size_t i = 0; i < s->as_count; i++)
		if (slice_eq(s->as[i].worker, IMPORTED))
			s->imported[s->imported_count++] = i;
	qsort_r(s->imported, s->imported_count, sizeof(*s->imported), by_object, (void *)s->as);
}

/* Where the labels of this reference begin among those imported; where they would, if there are none. */
static size_t labels_of(const struct settle *s, uint64_t object)
{
	size_t from = 0, to = s->imported_count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (s->as[s->imported[middle]].object < object)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Does a label stand that came with this reference? */
static bool stands_for(const struct settle *s, uint64_t object)
{
	size_t at = labels_of(s, object);
	return at < s->imported_count && s->as[s->imported[at]].object == object;
}

/* The references of the item at hand, and of the one that was asked for last whether it has moved: many files of one content go
 * together. */
struct references {
	const struct reference *of;
	size_t count;
	struct slice source;            /* empty: none was asked for */
	bool sidecar;
	int moved;
};

/* 1, 0, -1. */
static int is_elsewhere(struct view *now, const struct references *refs, struct slice source, bool sidecar, struct err *err)
{
	const struct import_row *rows;
	size_t n;
	for (size_t i = 0; i < refs->count; i++) {
		if (refs->of[i].state == OBJECT_GONE || !slice_eq(refs->of[i].source, source))
			continue;
		if (view_rows(now, refs->of[i].object, &rows, &n, err) < 0)
			return -1;
		for (size_t k = 0; k < n; k++)
			if (rows[k].import == 0 && import_body_is(rows[k].body, BODY_SIDECAR) == sidecar)
				return 1;
	}
	return 0;
}

/* Is the file, which has gone, at another place of its source now, where the same (its folder, its sidecar) speaks of it? Then
 * what was said of it at the old place is not so any more. 1, 0, -1. */
static int has_moved(struct view *now, struct references *refs, const struct reference *from, struct slice body, struct err *err)
{
	bool sidecar = import_body_is(body, BODY_SIDECAR);
	if (refs->source.len == 0 || refs->sidecar != sidecar || !slice_eq(refs->source, from->source)) {
		refs->moved = is_elsewhere(now, refs, from->source, sidecar, err);
		refs->source = from->source;
		refs->sidecar = sidecar;
	}
	return refs->moved;
}

/* Does this row of a reference that has gone still count? 1, 0, -1. */
static int still_counts(const struct settle *s, struct view *now, struct references *refs, const struct reference *from,
	const struct import_row *row, struct err *err)
{
	if (row->import)
		return 1;
	int moved = stands_for(s, from->object) ? has_moved(now, refs, from, row->body, err) : 1;
	return moved < 0 ? -1 : !moved;
}

/* Of an object. from: the reference that it is, among refs, where it has gone; NULL: it is there. */
static int want_rows(struct settle *s, struct view *now, uint64_t object, struct references *refs, const struct reference *from,
	struct err *err)
{
	const struct import_row *rows;
	size_t n;
	if (view_rows(now, object, &rows, &n, err) < 0)
		return -1;
	s->references++;
	for (size_t i = 0; i < n; i++) {
		s->any_own = s->any_own || rows[i].import == 0;
		int counts = from ? still_counts(s, now, refs, from, &rows[i], err) : 1;
		if (counts < 0 || (counts && want_row(s, object, rows[i].body, err) < 0))
			return -1;
	}
	return 0;
}

static int want_all(struct settle *s, struct view *now, struct err *err)
{
	struct references refs = { .count = 0 };
	if (view_references(now, s->item, true, &refs.of, &refs.count, err) < 0)
		return -1;
	for (size_t i = 0; i < refs.count; i++) {
		const struct reference *r = &refs.of[i];
		if (want_rows(s, now, r->object, &refs, r->state == OBJECT_GONE ? r : NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* --- conflicts: what references say outright of the whole item --- */

static bool asserts(const struct wanted *w)
{
	return w->geometry.len == 0 && w->status == STATUS_SUCCESS;
}

/* What the reference asserts whose labels begin at i; *ret_next: where the next one's begin. Into ret's room of s->count. */
static void set_at(const struct settle *s, size_t i, struct concept_set *ret, size_t *ret_next)
{
	uint64_t object = s->wanted[i].object;
	ret->count = 0;
	for (; i < s->count && s->wanted[i].object == object; i++)
		if (asserts(&s->wanted[i]))
			ret->of[ret->count++] = s->wanted[i].concept;
	*ret_next = i;
	concept_set_order(ret);
}

static void mark(struct settle *s, size_t from, size_t to, const struct conflict *says, struct concept_set set)
{
	CLEANUP(freep) bool *contradicted = mem_zero(set.count + 1, sizeof(*contradicted));
	conflict_of(says, set, contradicted);
	for (size_t k = from; k < to; k++) {
		struct wanted *w = &s->wanted[k];
		if (!asserts(w) || !contradicted[concept_set_place(set, w->concept)])
			continue;
		w->status = STATUS_AWAITING_REVIEW;
		w->reason = REASON_CONFLICT;
	}
}

/* Of one reference nothing is contradicted. What they say is the caller's. */
static struct conflict *find_conflicts(struct settle *s)
{
	CLEANUP(freep) struct slice *room = mem_zero(s->count + 1, sizeof(*room));
	struct concept_set set = { .of = room };
	struct conflict *says = conflict_new();
	size_t next;
	for (size_t i = 0; i < s->count; i = next) {
		set_at(s, i, &set, &next);
		if (set.count)
			conflict_add(says, set);
	}
	conflict_conclude(says);
	for (size_t i = 0; conflict_any(says) && i < s->count; i = next) {
		set_at(s, i, &set, &next);
		mark(s, i, next, says, set);
	}
	return says;
}

/* --- against what stands --- */

static bool by_user(const struct annotation *a)
{
	return a->worker.len > sizeof(USER) - 1 && memcmp(a->worker.p, USER, sizeof(USER) - 1) == 0;
}

/* A person spoke of this label: of the concept of the whole item, or of the very shape. */
static bool decided(const struct settle *s, const struct wanted *w)
{
	for (size_t i = 0; s->any_user && i < s->as_count; i++)
		if (by_user(&s->as[i]) && slice_eq(s->as[i].concept, w->concept) && slice_eq(s->as[i].geometry, w->geometry))
			return true;
	return false;
}

/* Both of one reference. */
static bool matches(const struct annotation *a, const struct wanted *w)
{
	return slice_eq(a->concept, w->concept) && slice_eq(a->geometry, w->geometry) && slice_eq(a->attributes, w->attributes) &&
		a->confidence == w->confidence && a->status == w->status && a->maker == w->maker && a->reason == w->reason;
}

static bool stands(struct settle *s, const struct wanted *w)
{
	for (size_t i = labels_of(s, w->object); i < s->imported_count && s->as[s->imported[i]].object == w->object; i++) {
		size_t at = s->imported[i];
		if (s->kept[at] || !matches(&s->as[at], w))
			continue;
		s->kept[at] = true;
		return true;
	}
	return false;
}

/* A model's: did it suggest this label? */
static bool suggests(const struct annotation *a, const struct wanted *w)
{
	return slice_eq(a->concept, w->concept) && slice_eq(a->geometry, w->geometry);
}

static void supersede(struct settle *s)
{
	for (size_t i = 0; i < s->as_count; i++) {
		bool goes = slice_eq(s->as[i].worker, IMPORTED) && !s->kept[i];
		bool models = slice_eq(s->as[i].worker, SLICE_LIT("model"));
		for (size_t k = 0; models && !goes && k < s->count; k++)
			goes = suggests(&s->as[i], &s->wanted[k]);
		if (goes)
			change_add(s->c, RECORD_UNTIL)->until = (struct record_until){ s->item, s->as[i].n };
	}
}

static void put_one(struct settle *s, const struct wanted *w)
{
	change_add(s->c, RECORD_ANNOTATION)->annotation = (struct record_annotation){
		.item = s->item,
		.concept = w->concept,
		.confidence = w->confidence,
		.status = w->status,
		.worker = IMPORTED,
		.maker = w->maker,
		.reason = w->reason,
		.object = w->object,
		.geometry = w->geometry,
		.attributes = w->attributes,
		.time_ms = clock_wall_ms(),
	};
}

static void put_wanted(struct settle *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct wanted *w = &s->wanted[i];
		if (!stands(s, w) && !decided(s, w))
			put_one(s, w);
	}
}

/* Is all that stands on it the word of its references, which only more of them can change? */
static bool may_remember(const struct settle *s)
{
	return s->references >= SETTLED_REFERENCES_MIN && !s->any_own && s->imported_count == s->as_count;
}

int settle_item(struct change *c, struct view *now, struct settled *settled, uint64_t item, struct err *err)
{
	struct settle s = { .c = c, .item = item };
	int ok = view_annotations(now, item, 0, &s.as, &s.as_count, err);
	settled_drop(settled, item);
	if (ok == 0) {
		sort_imported(&s);
		ok = want_all(&s, now, err);
	}
	if (ok == 0) {
		CLEANUP(freep) bool *kept = s.kept = mem_zero(s.as_count + 1, sizeof(*kept));
		for (size_t i = 0; i < s.as_count; i++)
			s.any_user = s.any_user || by_user(&s.as[i]);
		struct conflict *says = find_conflicts(&s);
		put_wanted(&s);
		supersede(&s);
		if (may_remember(&s))
			settled_put(settled, item, says);
		else
			conflict_free(says);
	}
	free(s.imported);
	free(s.wanted);
	return ok;
}

/* Alike in all that decides how a label stands? */
static bool alike(const struct wanted *a, const struct wanted *b)
{
	return slice_eq(a->concept, b->concept) && slice_eq(a->geometry, b->geometry) && a->confidence == b->confidence &&
		a->status == b->status && a->maker == b->maker;
}

/* The annotation by which a label of the first reference stands, whatever became of its status. */
static const struct annotation *standing(const struct settle *s, const struct wanted *w)
{
	for (size_t i = 0; i < s->as_count; i++) {
		const struct annotation *a = &s->as[i];
		if (a->object == w->object && slice_eq(a->worker, IMPORTED) && slice_eq(a->concept, w->concept) &&
			slice_eq(a->geometry, w->geometry) && slice_eq(a->attributes, w->attributes) &&
			a->confidence == w->confidence && a->maker == w->maker)
			return a;
	}
	return NULL;
}

/* wanted holds n labels of the fresh reference, then n of the first one. */
static bool stand_alike(struct settle *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wanted *fresh = &s->wanted[i];
		const struct annotation *a = alike(&s->wanted[n + i], fresh) ? standing(s, &s->wanted[n + i]) : NULL;
		if (!a)
			return false;
		fresh->status = a->status;
		fresh->reason = a->reason;
	}
	return true;
}

/* What its other references say is known, and says already what this one does. */
static bool fits_in(struct settle *s, const struct conflict *says)
{
	CLEANUP(freep) struct slice *room = mem_zero(s->count + 1, sizeof(*room));
	struct concept_set set = { .of = room };
	size_t next;
	if (s->count > 0)
		set_at(s, 0, &set, &next);
	if (set.count > 0 && !conflict_covers(says, set))
		return false;
	mark(s, 0, s->count, says, set);
	return true;
}

static int says_as_first(struct settle *s, struct view *now, uint64_t object, struct err *err)
{
	struct reference first;
	int found = view_first_reference(now, s->item, &first);
	if (found <= 0 || first.object == object)
		return found < 0 ? view_failed_call(now, err) : 0;
	size_t n = s->count;
	if (want_rows(s, now, first.object, NULL, NULL, err) < 0 ||
		view_annotations_some(now, s->item, n + OTHERS_MAX, &s->as, &s->as_count, err) < 0)
		return -1;
	bool alike = s->count == 2 * n && stand_alike(s, n);
	s->count = n;
	return alike;
}

int settle_fresh(struct change *c, struct view *now, struct settled *settled, uint64_t item, uint64_t object, struct err *err)
{
	struct settle s = { .c = c, .item = item };
	const struct conflict *says = settled_get(settled, item);
	int done = want_rows(&s, now, object, NULL, NULL, err);
	if (s.any_own)
		settled_drop(settled, item);
	else if (done == 0 && says)
		done = fits_in(&s, says);
	if (done == 0)
		done = says_as_first(&s, now, object, err);
	for (size_t i = 0; done > 0 && i < s.count; i++)
		put_one(&s, &s.wanted[i]);
	free(s.wanted);
	return done;
}
