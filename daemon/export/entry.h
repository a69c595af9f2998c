/* entry.h - what an entry of a list says beside its labels: where its bytes are, as that was received, its own id, split and
 * metadata, and what its format said beyond. Used again for each entry: { 0 } is ready. One thread. */
#ifndef INLET_EXPORT_ENTRY_H
#define INLET_EXPORT_ENTRY_H

#include "daemon/export/export.h"
#include "daemon/manifest/dom.h"
#include "daemon/manifest/row.h"

struct entry {
	enum row_content at;         /* 0: nothing says where its bytes are */
	struct slice where;          /* URL or path as received; of a text its characters, once entry_text() has been called */
	struct slice id;             /* its own; empty: it has none beside where it is */
	enum media media;            /* as its row says, else as was found */
	struct slice split;          /* "train", "val", "test" or empty; of a row that says none, as the item's source says it */
	struct slice metadata;       /* JSON object or empty */
	struct slice unreadable;     /* metadata that is none, as received; or empty */
	const struct node *said;     /* the attributes of its row (daemon/manifest/row.h); NULL: none */
	bool listed;                 /* a row of a manifest says all this */
	/* Its memory: */
	struct dom said_dom, label_dom;
	struct arena arena;          /* for the caller too: until the next entry */
	struct buf place, text;
};

/* Of the entry's first row, else of its first reference that can be told; -1: a row that cannot be read. Slices live until
 * the next entry. */
int entry_read(struct entry *e, const struct export_options *o, const struct item_full *full, struct err *err);
void entry_done(struct entry *e);
/* The characters of a text entry into e->where. 1; 0: it is not UTF-8; -1. */
int entry_text(struct entry *e, const struct export_options *o, const struct item *item, struct err *err);
/* What its manifest's format said of a label; NULL: nothing. Until the next call. */
const struct node *entry_label(struct entry *e, const struct annotation *a);

/* Of the item's n-th label, one of the whole: has an earlier one the same concept? */
bool labels_say_before(const struct item_full *it, size_t n);

/* The members of an object into an open one; NULL or another kind: nothing. */
void members_write(const struct dom *t, const struct node *object, struct json *j);
/* The same without those of some names (NULL at the end). */
void members_write_but(const struct dom *t, const struct node *object, const char *const *but, struct json *j);
/* The same of an object's text. */
void members_raw(struct slice object, struct json *j);

#endif
