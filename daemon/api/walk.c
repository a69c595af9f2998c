/* walk.c - pages of items. */
#include "daemon/api/walk.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"

#define PAGE_ITEMS 500              /* looked at in one snapshot, whether they pass or not */
#define PAGE_NS (200 * NS_PER_MS)

int walk_load(struct view *v, const struct item *item, bool gone_too, struct item_full *ret, struct err *err)
{
	struct item_full full = { .item = *item };
	if (view_references(v, item->id, gone_too, &full.references, &full.reference_count, err) < 0 ||
		view_annotations(v, item->id, 0, &full.annotations, &full.annotation_count, err) < 0)
		return -1;
	*ret = full;
	return 0;
}

int walk_load_rows(struct view *v, struct item_full *full, struct err *err)
{
	return view_rows_of(v, full->references, full->reference_count, &full->rows, &full->row_count, err);
}

static bool annotation_passes(const struct walk_filter *f, const struct item_full *it)
{
	if (f->status == STATUS_NONE && f->concept.len == 0)
		return true;
	for (size_t i = 0; i < it->annotation_count; i++) {
		const struct annotation *a = &it->annotations[i];
		if ((f->status == STATUS_NONE || a->status == f->status) &&
			(f->concept.len == 0 || slice_eq(a->concept, f->concept)))
			return true;
	}
	return false;
}

static bool source_passes(const struct walk_filter *f, const struct item_full *it)
{
	for (size_t i = 0; i < it->reference_count; i++)
		if (slice_eq(it->references[i].source, f->source))
			return true;
	return f->source.len == 0;
}

int walk_page(struct walk *w, walk_fn *each, void *arg, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	if (view_open(w->store, &v, err) < 0)
		return -1;
	uint64_t end_ns = clock_mono_ns() + PAGE_NS;
	for (int n = 0; n < PAGE_ITEMS && w->left > 0 && clock_mono_ns() < end_ns; n++) {
		struct item item;
		struct item_full full;
		int found = view_item_next(v, w->after, w->filter.state, &item, err);
		if (found <= 0)
			return found;
		if (walk_load(v, &item, false, &full, err) < 0)
			return -1;
		w->after = item.id;
		if (!annotation_passes(&w->filter, &full) || !source_passes(&w->filter, &full))
			continue;
		if (w->rows && walk_load_rows(v, &full, err) < 0)
			return -1;
		if (each(arg, v, &full, err) < 0)
			return -1;
		if (w->left != UINT64_MAX)
			w->left--;
	}
	return w->left > 0;
}
