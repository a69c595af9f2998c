/* walk.h - items in id order with their references and annotations, a page at a time: each page reads one snapshot and
 * is short, so that a walk over millions of items keeps no snapshot alive and no item in memory. */
#ifndef INLET_API_WALK_H
#define INLET_API_WALK_H

#include "daemon/export/item_json.h"
#include "daemon/store/view.h"

struct walk_filter {                /* all that are set must hold */
	enum item_state state;              /* ITEM_NONE: any */
	enum annotation_status status;      /* some standing annotation has it; STATUS_NONE: any */
	struct slice concept;               /* some standing annotation has it (the same one as status); empty: any */
	struct slice source;                /* some present reference has it; empty: any */
};
struct walk {
	struct store *store;
	struct walk_filter filter;
	uint64_t after;                     /* the last id that was looked at */
	uint64_t left;                      /* items still wanted; UINT64_MAX: all */
	bool rows;                          /* with what rows of manifests say */
};

typedef int walk_fn(void *arg, struct view *v, const struct item_full *it, struct err *err);

/* One page: each is called for the items that pass. 1 there may be more, 0 the walk is over, -1. */
int walk_page(struct walk *w, walk_fn *each, void *arg, struct err *err);

/* With what rows of manifests say of its references. */
int walk_load_rows(struct view *v, struct item_full *full, struct err *err);
/* An item's standing annotations and references (gone ones where asked); its arrays belong to the view. */
int walk_load(struct view *v, const struct item *item, bool gone_too, struct item_full *ret, struct err *err);

#endif
