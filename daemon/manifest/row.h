/* row.h - one row of a manifest as plain data, one row that failed, and the form in which geometry travels.
 *
 * Every format comes out in this one shape. Slices are UTF-8 and belong to the reader: valid until its next row.
 *
 * Positions. `line` counts from 1. `offset` is a byte of the manifest's text: what `zcat FILE | iconv -t UTF-8` prints,
 * which for a plain UTF-8 file is the byte of the file. `column` counts bytes from 1 at the start of its line.
 *
 * Geometry is a JSON object, numbers as received (integers stay integers, reals keep every bit); nothing is converted:
 *
 *   {"kind":K,"unit":U,"frame":"raw"|"upright","size":[width,height], ... }
 *
 *   unit   px | fraction (0..1) | percent (0..100) | character | s | frame
 *   frame  raw: before EXIF rotation; upright: after it; absent where the format does not say
 *   size   the declared pixels of the frame; absent where the row does not say
 *
 *   kind          members
 *   box           "form":"xywh" | "xyxy" | "cxcywh", "box":[4 numbers]; optional "rotation": degrees clockwise about
 *                 "pivot": "corner" (x,y) or "center"; optional "time": seconds, "instance": id of a track
 *   polygon       "rings":[[x,y,x,y,…],…]; "open":true for a line
 *   ellipse       "center":[x,y],"radii":[x,y], optional "rotation"
 *   mask          "encoding":"coco" | "labelstudio" | "png-url", "counts": run lengths as an array, COCO's compressed
 *                 string, or the reference; with "coco" also "rle_size":[height,width]
 *   keypoints     "form":"xy" | "xyv", "points":[…]; optional "names":[…]
 *   span          "start","end": of a text, end exclusive; optional "text"
 *   range         "start","end": of audio or video
 *   track         "sequence":[…] as received: boxes of a video by frame
 *   relation      "from","to": ids of two other labels, optional "direction"
 *   other         "type": the format's word, "value": as received
 *
 * A label of a whole item has no geometry. */
#ifndef INLET_MANIFEST_ROW_H
#define INLET_MANIFEST_ROW_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/model/state.h"

struct manifest_place {
	uint64_t line, column;
	uint64_t offset;
};

enum row_identity { ROW_BY_ID = 1, ROW_BY_REFERENCE, ROW_BY_TEXT };
const char *row_identity_name(enum row_identity k);    /* "id", "reference", "text" */

/* Where the bytes of a row are. PATH is as written: absolute, or relative to the manifest (file: URLs come decoded). */
enum row_content { ROW_URL = 1, ROW_S3, ROW_GS, ROW_PATH, ROW_TEXT };
const char *row_content_name(enum row_content k);      /* "url", "s3", "gs", "path", "text" */

enum row_split { SPLIT_NONE, SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST };
const char *row_split_name(enum row_split s);          /* "", "train", "val", "test" */

enum row_maker { MAKER_UNKNOWN, MAKER_HUMAN, MAKER_MACHINE };
const char *row_maker_name(enum row_maker m);          /* "unknown", "human", "machine" */

struct manifest_label {
	struct slice concept;
	double confidence;             /* as the row says; < 0: it does not */
	enum annotation_status status; /* as the row says (a prediction awaits review), else STATUS_SUCCESS */
	enum row_maker maker;
	struct slice worker;           /* who or which model, as the row says; may be empty */
	struct slice geometry;         /* JSON object, see above; empty: the whole item */
	struct slice attributes;       /* JSON object: what the format says of it beyond the above; may be empty */
};

struct manifest_row {
	struct manifest_place at;      /* where the row begins */
	struct slice raw;              /* its own text, without the line end: makes manifests of failed rows */
	enum row_identity identity_kind;
	struct slice identity;         /* own id | reference, of URLs without signature parameters | text */
	enum row_content content_kind;
	struct slice content;          /* the URL with its signature, "s3://bucket/key", path, or text (may be empty) */
	/* Declared, not verified: */
	enum media media;              /* MEDIA_UNKNOWN: not said */
	uint64_t size_bytes;           /* 0: not said */
	uint32_t width, height;        /* pixels, 0: not said */
	struct slice checksum;         /* "sha256:<hex>", "md5:<hex>" of the file; empty: not said */
	enum row_split split;
	struct slice metadata;         /* JSON object; may be empty */
	struct slice unreadable;       /* the metadata's cell as received where it is none; then there is also a warning, and the row
	                                * stands */
	struct slice attributes;       /* JSON object: what the format says of the row beyond all this and what an export needs to
	                                * say it again (an image's number, a spelling); may be empty */
	const struct manifest_label *labels;
	size_t label_count;
	const struct slice *warnings;  /* sentences, without the position */
	size_t warning_count;
};

/* A row that cannot be used; the reader goes on behind it. */
struct manifest_failure {
	struct manifest_place at;      /* what is wrong, as near as can be told: the field, not the row */
	enum err_class class;          /* ERR_REJECT; ERR_RETRY where a part that the row names could not be read now */
	struct slice reason, cure;     /* sentences, without the position; cure may be empty */
	struct slice raw;              /* the row's own text; of an endless row the first 4 KiB */
	bool raw_cut;                  /* raw is not all of it */
	bool folder;                   /* it stands for all rows of a folder: how many they are is not known before it can be read */
};

#endif
