/* export.h - the dataset as a file of one of the formats that others read. Pure writers: items come in, text goes out; knows nothing of the
 * store. One thread an exporter. */
#ifndef INLET_EXPORT_EXPORT_H
#define INLET_EXPORT_EXPORT_H

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/export/item_json.h"

enum export_format { EXPORT_JSONL, EXPORT_COCO, EXPORT_LABEL_STUDIO, EXPORT_CVAT, EXPORT_CLARIFAI, EXPORT_VERTEX,
	EXPORT_GROUND_TRUTH, EXPORT_HUGGING_FACE, EXPORT_YOLO, EXPORT_FORMATS };
extern const char *const export_format_names[]; /* in their order, NULL at the end */
const char *export_media_type(enum export_format f);
const char *export_file_name(enum export_format f); /* what a browser saves it as */
bool export_attribute_good(const char *name);       /* a label attribute's name, as Ground Truth takes one */
/* One entry an item; one a present reference (an item without any has none); or one a present reference of which a manifest
 * says something, and an item that has no such is one. BY_FORMAT: what is usual in the format, BY_ROW for lists, else BY_ITEM. */
enum export_by { EXPORT_BY_FORMAT, EXPORT_BY_ITEM, EXPORT_BY_REFERENCE, EXPORT_BY_ROW };
extern const char *const export_by_names[]; /* from BY_ITEM on, NULL at the end */
struct exporter;
struct export_options {
	enum export_format format;
	enum export_by by;
	bool with_review;       /* also annotations that wait for review; else only ANNOTATION_SUCCESS */
	/* YOLO: the files of a dataset instead of a tar without pictures, a JSON line each: {"path","item","bytes","sha256",
	 * "labels":{"path","text"}} is a picture and its labels, {"path","text"} a file, and where path ends in '/' a folder. */
	bool files;
	const char *attribute;  /* Ground Truth: of labels that came in no answer of its; NULL: "label". Borrowed */
	const char *spool_dir;  /* for what must wait until all items are through; nothing is left there */
	/* Appends the bytes of an item that is a text, for formats that carry them. NULL: there are none to be had. */
	int (*text)(void *arg, const struct item *item, struct buf *to, struct err *err);
	void *text_arg;
	/* Appends where a reference of a configured source is: "s3://bucket/key", "gs://…", or the absolute path of its file;
	 * nothing where that is not known. NULL: never known. */
	void (*place)(void *arg, const struct reference *r, struct buf *to);
	void *place_arg;
};
/* What a format had to leave out because it cannot say it: of a shape, a kind or a status that it does not know. */
#define EXPORT_LEFT_OUT "Inlet-Left-Out" /* the trailer of an export that says so */
struct export_left {
	uint64_t items, labels;
	uint64_t ambiguous;     /* not left out: texts that a reader of the format takes for paths or URLs, as they begin so */
	uint64_t unlabelled;    /* pictures that nothing is said of, where that would say that nothing is on them */
};
/* sink takes text as it comes; -1 stops the export. */
typedef int export_sink_fn(void *arg, struct slice text, struct err *err);
/* JSON lines are item_json() lines of the chosen annotations. COCO: images are items with width and height (others are counted in
 * info.items_without_pixels), image id = item id, or 1, 2, … by reference; what came from a COCO file is as it was, with its ids; other
 * geometries become pixels, and what COCO cannot say (spans, tracks, relations, brush masks) is left out and counted. */
struct exporter *exporter_new(const struct export_options *o, export_sink_fn *sink, void *arg);
void exporter_import(struct exporter *x, const struct import *i);                  /* each, before the first item */
int exporter_add(struct exporter *x, const struct item_full *it, struct err *err); /* items in id order */
/* Gives the sink the rest in pieces of about 64 KiB, so that nobody needs to hold the export in memory: 1 call again, 0
 * the export is whole, -1 failed. */
int exporter_end(struct exporter *x, struct err *err);
/* A sentence about what was left out so far, and what will not be read back as it is, appended; nothing where nothing was. */
void exporter_left(const struct exporter *x, struct buf *to);
void exporter_free(struct exporter *x); /* NULL allowed */
CLEANUP_FN(struct exporter *, exporter_free)

#endif
