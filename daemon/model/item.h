/* item.h - an item as readers see it: plain data filled by daemon/store/view.h, used by stages, api and export.
 * Slices point into the view's memory (view.h says how long). */
#ifndef INLET_MODEL_ITEM_H
#define INLET_MODEL_ITEM_H

#include "daemon/model/record.h"

struct item {
	uint64_t id;
	struct content_id content;
	uint64_t bytes;
	struct location at;
	enum item_state state;
	enum stage failed_stage;     /* ITEM_QUARANTINED: the stage that rejected it */
	enum media media;
	struct slice media_type;     /* empty until normalized or parked */
	uint32_t width, height;      /* 0: none */
	uint32_t normalizer;
	struct content_id canonical;
	struct slice facts;          /* JSON object or empty */
};

struct reference {
	struct slice source, key, version;
	enum layout layout;
	uint64_t object;
	enum object_state state;     /* OBJECT_PRESENT, or OBJECT_GONE where the reader asked for those too */
	bool racy;
};

struct annotation {
	uint32_t n;
	struct slice concept;
	double confidence;           /* < 0: none */
	enum annotation_status status;
	struct slice worker, model;
	enum annotation_maker maker; /* imported only */
	enum annotation_reason reason;
	struct content_id model_version;
	uint64_t object;             /* 0: the item itself */
	struct slice geometry;       /* JSON or empty */
	struct slice attributes;     /* JSON object or empty: what the format of its manifest says of it beyond */
	int64_t time_ms;
	uint64_t since, until;       /* revisions; until 0: it stands */
};

struct run {
	struct slice model;
	struct content_id model_version;
	const struct score *scores;
	size_t score_count;
};

struct import_row;
struct failure {
	enum failure_subject subject;
	uint64_t number;             /* object number, item or row_number(): with subject the stable id "o12", "i7", "r3.17" */
	enum stage stage;
	bool retry, archived;        /* neither: quarantined */
	uint32_t attempts;
	int64_t due_ms;
	struct slice reason, cure;
	struct slice source, key;    /* of the object, or of the item's first reference. Row: its import's source, and none */
	/* Of a row of a manifest, or an object that is one; import 0: neither. */
	uint64_t import, line;
	struct slice file, row;      /* the manifest's; a JSON object (import_body.h) */
	const struct import_row *more; /* of an object: what further rows say, whose origins are such objects */
	size_t more_count;
};

/* A manifest that was imported: a source of kind "manifest" whose objects are its rows. */
struct import {
	uint64_t id;
	struct slice source, format, header;
	struct slice attributes;     /* JSON object or empty: what the manifest says of all its rows */
	struct slice file;           /* where it is, or was; empty: it came through a pipe */
	uint64_t rows, failed, vanished;
	bool complete;               /* the last pass ended */
	int64_t time_ms;
};
/* What a row of a manifest says of an object. */
struct import_row {
	uint64_t object, row, import, line;
	struct slice body;           /* import_body.h */
	struct slice origin;         /* of one that names a URL: the same, as of a failed row; else empty */
};

#define FAILURE_ID_MAX 32
void failure_id(const struct failure *f, char ret_id[FAILURE_ID_MAX]);                 /* "o12", "i7", "r3.17" */
int failure_id_parse(struct slice id, enum failure_subject *ret_subject, uint64_t *ret_number); /* -1: not an id */

#endif
