/* record.h - one change to the dataset, and its line in the log.
 *
 * Every change that the committer makes is a list of records. A *logged* record is a JSON line of the batch member and is
 * all that recovery and rebuild need; an *index-only* record can be found again by looking at the source (a retry's due
 * time, a directory's skip count) and never bumps the revision. apply.h turns a record into index rows and is the only
 * code that does.
 *
 * Line format, one object a line, "op" first, members in the order of the struct, absent when empty:
 *   {"op":"item","item":7,"sha256":"<hex>","bytes":10240,"at":"segment","segment":1,"offset":5120}
 *   {"op":"object","source":"drop","layout":"tree","key":"a/b.jpg","version":"1f.2800.1…","bytes":10240,"object":9,"item":7}
 *   {"op":"gone","source":"drop","layout":"tree","key":"a/b.jpg"}
 *   {"op":"facts","item":7,"state":"normalized","media":"image","media_type":"image/jpeg","width":640,"height":480,
 *    "normalizer":1,"canonical":"<hex>","facts":{…}}
 *   {"op":"run","item":7,"model":"image-default","model_version":"<hex>","scores":[["tabby",0.93],…]}
 *   {"op":"annotation","item":7,"n":1,"concept":"tabby","confidence":0.93,"status":"ANNOTATION_SUCCESS","worker":"model",
 *    "maker":"human","reason":"conflict","model":"…","model_version":"…","object":9,"geometry":{…},"attributes":{…},
 *    "time":1700000000000}
 *   {"op":"until","item":7,"n":1}
 *   {"op":"state","item":7,"state":"routed"}
 *   {"op":"failure","subject":"item","number":7,"stage":"normalize","reason":"…","cure":"…","attempts":1}  (object: also source, key, …)
 *   {"op":"failure","subject":"row","import":3,"line":17,"reason":"…","cure":"…","row":{…}}
 *   {"op":"source","source":"drop","kind":"folder","root":"<identity>"}
 *   {"op":"import","import":3,"source":"/data/M.csv","format":"csv","header":"url,label","attributes":{…},"rows":12,
 *    "failed":1,"vanished":0,"complete":true,"time":1700000000000}
 *   {"op":"row","object":9,"row":4,"import":3,"line":2,"body":{…},"origin":{…}}   (import_body.h; pending: also source, key)
 *   {"op":"row_gone","object":9,"row":4}
 *   {"op":"mended","import":3,"line":17}
 * Bytes that are not UTF-8 are carried as NAME_base64.
 *
 * Slices are borrowed: they live as long as the change that holds the record. */
#ifndef INLET_MODEL_RECORD_H
#define INLET_MODEL_RECORD_H

#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "daemon/base/json.h"
#include "daemon/model/content_id.h"
#include "daemon/model/state.h"

enum record_kind {
	RECORD_ITEM,       /* a new content: number and location */
	RECORD_OBJECT,     /* (source, key) at this version carries this item */
	RECORD_GONE,       /* (source, key) is not there any more; for a directory key: everything below it */
	RECORD_FACTS,      /* normalize finished */
	RECORD_RUN,        /* a model finished */
	RECORD_ANNOTATION, /* a label: suggestion, import or a person's decision */
	RECORD_UNTIL,      /* annotation n of item is superseded from this revision on */
	RECORD_STATE,      /* an item moves to a state */
	RECORD_FAILURE,    /* quarantine: logged. With retry or archived: index-only */
	RECORD_SOURCE,     /* a source's kind and root identity, when first seen or changed */
	RECORD_IMPORT,     /* a manifest that is a source: its counts after a pass */
	RECORD_ROW,        /* what a row of a manifest says of an object: its labels, split, metadata */
	RECORD_ROW_GONE,   /* the manifest says it no longer */
	RECORD_MENDED,     /* a row that had failed is good, or is not there any more */
	/* index-only: */
	RECORD_CALM,       /* (source, key) was racy and proved unchanged */
	RECORD_DIRECTORY,  /* a directory of a tree source was read: exists, skip count */
	RECORD_PASS,       /* a pass over a source ended: time, state */
	RECORD_DERIVED,    /* where derived bytes of an item lie */
	RECORD_KINDS
};

/* How keys of a source are laid out in the ledger. TREE: '/'-separated paths below a root, a node is a directory.
 * FLAT: bucket keys, all under node 0 in listing byte order, any bytes up to 1,024. */
enum layout { LAYOUT_TREE = 1, LAYOUT_FLAT };

enum location_kind { LOCATION_NONE, LOCATION_SEGMENT, LOCATION_LARGE, LOCATION_REFERENCE };
struct location {
	enum location_kind kind;
	uint32_t segment; /* LOCATION_SEGMENT: store/segments/NNNNNNNN.tar */
	uint64_t offset;  /* LOCATION_SEGMENT: of the first payload byte */
};

struct score {
	struct slice concept;
	float confidence; /* 0..1 */
};

enum failure_subject { SUBJECT_OBJECT = 1, SUBJECT_ITEM, SUBJECT_ROW };

/* A failure's id, stable for as long as its subject: "o<object number>", "i<item>" or "r<import>.<line>". Of a row, import
 * and line are one number: */
#define ROW_LINE_BITS 40
#define ROW_LINE_MAX ((1ULL << ROW_LINE_BITS) - 1)
#define IMPORT_MAX ((1ULL << (63 - ROW_LINE_BITS)) - 1)
static inline uint64_t row_number(uint64_t import, uint64_t line)
{
	return import << ROW_LINE_BITS | line;
}
static inline uint64_t row_import(uint64_t number)
{
	return number >> ROW_LINE_BITS;
}
static inline uint64_t row_line(uint64_t number)
{
	return number & ROW_LINE_MAX;
}

struct record_item {
	uint64_t item;
	struct content_id content;
	uint64_t bytes;
	struct location at;
};
struct record_object {
	struct slice source, key, version;
	enum layout layout;
	uint64_t bytes;
	uint64_t object;   /* its number: monotonic over the store, given by the committer, kept for the key's life */
	uint64_t item;     /* 0: a manifest of a source, which carries none */
	bool racy;         /* changed within 2 s of its stat: read again at the next pass */
};
struct record_gone {
	struct slice source, key;
	enum layout layout;
	bool directory;
};
struct record_facts {
	uint64_t item;
	enum item_state state;       /* ITEM_NORMALIZED or ITEM_PARKED */
	enum media media;
	struct slice media_type;     /* "image/jpeg" */
	uint32_t width, height;      /* upright pixels; 0 where it has none */
	uint32_t normalizer;         /* version of the code that decided; canonical ids compare only within one */
	struct content_id canonical; /* hash of the decoded content; none when parked */
	struct slice facts;          /* a JSON object, may be empty */
};
struct record_run {
	uint64_t item;
	struct slice model;
	struct content_id model_version;
	const struct score *scores;  /* >= 0.01, at most 100, best first */
	size_t score_count;
};
struct record_annotation {
	uint64_t item;
	uint32_t n;                  /* 0 when submitted: the committer gives the item's next number */
	struct slice concept;
	double confidence;           /* < 0: none. A score of a model is what json_float_value() makes of it */
	enum annotation_status status;
	struct slice worker;         /* "model", "imported", "user:NAME" */
	enum annotation_maker maker; /* imported only */
	enum annotation_reason reason;
	struct slice model;          /* empty: not of a model */
	struct content_id model_version;
	uint64_t object;             /* the reference it came with; 0: the item itself */
	struct slice geometry;       /* JSON object as received; may be empty */
	struct slice attributes;     /* JSON object: what the format of its manifest says of it beyond; may be empty */
	int64_t time_ms;             /* wall clock */
};
struct record_until {
	uint64_t item;
	uint32_t n;
};
struct record_state {
	uint64_t item;
	enum item_state state;
};
#define DUE_NEVER INT64_MAX
struct record_failure {
	enum failure_subject subject;
	uint64_t number;             /* object number (0 when submitted for a key not in the ledger yet), item or row_number() */
	enum stage stage;
	bool retry;                  /* true: index-only, due again at due_ms; false: quarantine, logged */
	bool archived;               /* objects, index-only, never with retry: OBJECT_ARCHIVED; no work waits for it */
	uint32_t attempts;           /* so far; retry only */
	int64_t due_ms;              /* wall clock; retry (DUE_NEVER: somebody else's commit brings it back). archived: a listing that shows it as readable is believed from here on */
	struct slice reason, cure;   /* what happened; what would fix it */
	struct slice media_type;     /* SUBJECT_ITEM, quarantine: what its bytes are, where that could be told */
	/* SUBJECT_OBJECT only: */
	struct slice source, key, version;
	enum layout layout;
	uint64_t bytes;
	/* SUBJECT_ROW only (stage is STAGE_NONE, retry false): where and what the row is, a JSON object (import_body.h) */
	struct slice row;
};
struct record_source {
	struct slice source, kind, root;
};
struct record_import {
	uint64_t import;             /* 0 when submitted for a new one: the committer gives the number */
	struct slice source;         /* its name in the ledger; the source's root is where the manifest is */
	struct slice format;
	struct slice header;         /* what makes a manifest of failed rows, put before them; may be empty */
	struct slice attributes;     /* JSON object: what the manifest says of all its rows; may be empty */
	uint64_t rows, failed;       /* that the manifest has; of these, that could not be used */
	uint64_t vanished;           /* objects that it once named and names no longer */
	bool complete;               /* false: a pass began and has not ended */
	int64_t time_ms;             /* wall clock */
};
struct record_row {
	uint64_t object;             /* 0 when submitted: that of (source, key), which is in the ledger by then */
	uint64_t row;                /* its number, given once; 0 when submitted for a new one */
	uint64_t import, line;       /* line: as it was when this was written; 0: of a file of a folder. import 0: what a source
	                              * itself says of its object, by the folder that it is in */
	struct slice body;           /* a JSON object (import_body.h) */
	struct slice origin;         /* of a row whose bytes are to be fetched: its URL, and where it stands; the same form as of a
	                              * failed row */
	bool pending;                /* to be fetched from there, now: the object is made where the ledger has none */
	struct slice source, key;    /* logged when pending */
	enum layout layout;          /* not logged; 0: LAYOUT_FLAT, as of all that are pending */
	bool fresh;                  /* not logged: its object was not in the ledger before this change */
};
struct record_row_gone {
	uint64_t object, row;
};
struct record_mended {
	uint64_t number;             /* row_number() */
};
struct record_calm {
	struct slice source, key;
	enum layout layout;
};
struct record_directory {
	struct slice source, key;    /* "" is the root */
	uint32_t skipped;            /* entries that are neither files nor directories, or are ignored by name */
	bool mounted;                /* another file system is mounted on it */
};
struct record_pass {
	struct slice source, state, message; /* state: "live", "scanning", "offline", ... as status shows it */
	bool complete;                       /* this pass saw everything */
	int64_t time_ms;
};
enum derived_kind { DERIVED_THUMBNAIL = 1, DERIVED_CANONICAL };
struct record_derived {
	uint64_t item;
	enum derived_kind kind;
	uint32_t pack;               /* store/derived/NNNNNNNN.pack */
	uint64_t offset;
	uint64_t bytes;
	uint64_t check;              /* first 8 bytes of its SHA-256: derived bytes are not synced, a bad one is remade */
};

struct record {
	enum record_kind kind;
	union {
		struct record_item item;
		struct record_object object;
		struct record_gone gone;
		struct record_facts facts;
		struct record_run run;
		struct record_annotation annotation;
		struct record_until until;
		struct record_state state;
		struct record_failure failure;
		struct record_source source;
		struct record_import import;
		struct record_row row;
		struct record_row_gone row_gone;
		struct record_mended mended;
		struct record_calm calm;
		struct record_directory directory;
		struct record_pass pass;
		struct record_derived derived;
	};
};

#define RECORD_LINE_MAX (1U << 20) /* bytes of one encoded line */
#define SCORES_MAX 100

bool record_logged(const struct record *r);                   /* false: index-only */
void record_encode(const struct record *r, struct buf *to);   /* logged kinds only; one line, no newline */

/* Reads one line back. ret's slices point into memory owned by *ret_mem (free with record_mem_free), valid until then.
 * ERR_REJECT: not a record line, an unknown op, a missing member. Reads lines of any length up to RECORD_LINE_MAX. */
struct record_mem;
int record_decode(struct slice line, struct record *ret, struct record_mem **ret_mem, struct err *err);
void record_mem_free(struct record_mem *m);
CLEANUP_FN(struct record_mem *, record_mem_free)

#endif
