/* state.h - the states of an item and of an object, the stages, and the one table of allowed moves.
 *
 *   (new) --> committed --> normalized --> inferred --> routed
 *                |   |          |  ^           |            |
 *                |   +-> parked |  +-----------+------------+   relabel: a new model starts again
 *                |    (no decoder yet; a decoder that comes takes it up: parked -> committed)
 *                +------> quarantined <-- normalized             inlet retry: quarantined -> the stage it failed in
 *
 * A stage takes its work from the durable queue: an item in a state with work has exactly one row in `work`. */
#ifndef INLET_MODEL_STATE_H
#define INLET_MODEL_STATE_H

#include "daemon/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum stage { STAGE_NONE, STAGE_FETCH, STAGE_NORMALIZE, STAGE_INFER, STAGE_ROUTE, STAGES };

enum item_state {
	ITEM_NONE,         /* not in the dataset */
	ITEM_COMMITTED,    /* bytes are durable; waits for normalize */
	ITEM_PARKED,       /* no decoder for its media type yet */
	ITEM_NORMALIZED,   /* facts known; waits for a model of its media kind */
	ITEM_INFERRED,     /* scores stored; waits for routing */
	ITEM_ROUTED,       /* annotations written: done */
	ITEM_QUARANTINED,  /* a stage rejected it */
	ITEM_STATES
};

const char *stage_name(enum stage s);                         /* "fetch", "normalize", "infer", "route" */
const char *item_state_name(enum item_state s);               /* "committed", ... */
enum item_state item_state_parse(struct slice name);          /* ITEM_NONE: unknown */
enum stage stage_parse(struct slice name);                    /* STAGE_NONE: unknown */
enum stage item_state_work(enum item_state s);                /* the stage that an item in this state waits for */
bool item_may_move(enum item_state from, enum item_state to); /* the table; staying is a move of none and allowed */

/* An object is one ledger entry of a source. */
enum object_state {
	OBJECT_NONE,
	OBJECT_PRESENT,     /* carries an item */
	OBJECT_RETRYING,    /* could not be fetched, due again */
	OBJECT_QUARANTINED, /* fetch rejected it (over the size limit, ...) */
	OBJECT_GONE,        /* was there, is not any more; item and labels stay */
	OBJECT_ARCHIVED,    /* this version must be restored at its bucket before it can be read: nobody's failure */
	OBJECT_STATES
};
const char *object_state_name(enum object_state s);
bool object_may_move(enum object_state from, enum object_state to);

/* What kind of media an item is; decides decoder and models. Never taken from a file name. */
enum media { MEDIA_UNKNOWN, MEDIA_IMAGE, MEDIA_TEXT, MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_OTHER, MEDIAS };
const char *media_name(enum media m);
enum media media_parse(struct slice name);                    /* MEDIA_UNKNOWN: none of them */

enum annotation_status { STATUS_NONE, STATUS_SUCCESS, STATUS_AWAITING_REVIEW, STATUS_REVIEW_DENIED, STATUSES };
const char *status_name(enum annotation_status s);            /* "ANNOTATION_SUCCESS", ... */
enum annotation_status status_parse(struct slice name);

/* Who made an imported label, as far as the import says. */
enum annotation_maker { BY_UNKNOWN, BY_HUMAN, BY_MACHINE, ANNOTATION_MAKERS };
const char *maker_name(enum annotation_maker m);              /* "unknown", "human", "machine" */
enum annotation_maker maker_parse(struct slice name);         /* BY_UNKNOWN: neither of the others */

/* Why a label waits for review, where its confidence is not the reason. */
enum annotation_reason {
	REASON_NONE,
	REASON_CONFLICT, /* two references of one item came with different labels */
	ANNOTATION_REASONS
};
const char *reason_name(enum annotation_reason r);            /* "none", "conflict" */
enum annotation_reason reason_parse(struct slice name);       /* REASON_NONE: unknown */

#endif
