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
	float confidence;            /* < 0: none */
	enum annotation_status status;
	struct slice worker, model;
	struct content_id model_version;
	uint64_t object;             /* 0: the item itself */
	struct slice geometry;       /* JSON or empty */
	int64_t time_ms;
	uint64_t since, until;       /* revisions; until 0: it stands */
};

struct run {
	struct slice model;
	struct content_id model_version;
	const struct score *scores;
	size_t score_count;
};

struct failure {
	enum failure_subject subject;
	uint64_t number;             /* object number or item: with subject the stable id "o12", "i7" */
	enum stage stage;
	bool retry, archived;        /* neither: quarantined */
	uint32_t attempts;
	int64_t due_ms;
	struct slice reason, cure;
	struct slice source, key;    /* of the object, or of the item's first reference */
};

#define FAILURE_ID_MAX 24
void failure_id(const struct failure *f, char ret_id[FAILURE_ID_MAX]);                 /* "o12", "i7" */
int failure_id_parse(struct slice id, enum failure_subject *ret_subject, uint64_t *ret_number); /* -1: not an id */

#endif
