/* format.h - what an export format provides; seen only by daemon/export. */
#ifndef INLET_EXPORT_FORMAT_H
#define INLET_EXPORT_FORMAT_H

#include "daemon/export/export.h"

#define EXPORT_PIECE (64U << 10) /* bytes that exporter_end() gives the sink a call, about */

struct format_ops {
	const char *type;       /* of its text */
	const char *file_name;
	/* Lists: one entry a row of a manifest (EXPORT_BY_ROW), in the order of manifests and their rows, and then the rest.
	 * Entries wait in a file of spool_dir until all are there. */
	bool list;
	bool by_row;            /* one entry a row where nobody says otherwise, as lists; in the order of items */
	const char *separator;  /* of lists: what stands between two entries; NULL: nothing */
	bool says_status;       /* it says how each label stands: all that stand go out, whatever with_review says */
	/* What is left out is counted in *left; o and left live as long as the state. */
	void *(*open)(const struct export_options *o, struct export_left *left);
	/* A manifest: what it says of all its rows is in attributes. NULL: not of interest. Slices are the caller's. */
	void (*import)(void *state, const struct import *i);
	/* What goes before the entries of a list; NULL: nothing. */
	void (*begin)(void *state, struct buf *to);
	/* One entry: an item with its chosen annotations and, by reference, that reference alone, with its rows. Text is appended to
	 * `to`. */
	int (*add)(void *state, const struct item_full *entry, struct buf *to, struct err *err);
	/* What follows the entries: 1 call again, 0 done, -1. NULL: nothing. */
	int (*end)(void *state, struct buf *to, struct err *err);
	void (*close)(void *state);
};

extern const struct format_ops format_jsonl, format_coco, format_labelstudio, format_cvat, format_clarifai, format_vertex,
	format_groundtruth, format_huggingface, format_yolo;

#endif
