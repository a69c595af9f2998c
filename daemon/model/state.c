/* state.c - names of states, stages, media and statuses, and the tables of allowed moves. */
#include "daemon/model/state.h"

#include <assert.h>

#define TO(state) (1U << (state))

static const struct {
	const char *name;
	uint32_t next; /* where it may move, a bit a state */
	enum stage work;
} item_states[ITEM_STATES] = {
	[ITEM_NONE]        = { "none",        TO(ITEM_COMMITTED), STAGE_NONE },
	[ITEM_COMMITTED]   = { "committed",   TO(ITEM_NORMALIZED) | TO(ITEM_PARKED) | TO(ITEM_QUARANTINED), STAGE_NORMALIZE },
	[ITEM_PARKED]      = { "parked",      TO(ITEM_COMMITTED), STAGE_NONE },
	/* back to committed: a newer normalizer */
	[ITEM_NORMALIZED]  = { "normalized",  TO(ITEM_INFERRED) | TO(ITEM_QUARANTINED) | TO(ITEM_COMMITTED), STAGE_INFER },
	[ITEM_INFERRED]    = { "inferred",    TO(ITEM_ROUTED), STAGE_ROUTE },
	/* to normalized: a new model. To inferred: changed bands. To committed: a newer normalizer */
	[ITEM_ROUTED]      = { "routed",      TO(ITEM_NORMALIZED) | TO(ITEM_INFERRED) | TO(ITEM_COMMITTED), STAGE_NONE },
	/* inlet retry: the stage that it failed in */
	[ITEM_QUARANTINED] = { "quarantined", TO(ITEM_COMMITTED) | TO(ITEM_NORMALIZED), STAGE_NONE },
};

/* Any state of a known object may follow any other: a file may vanish, come back, change into something unreadable and be
 * mended again. It never becomes unknown. */
#define TO_ANY_KNOWN (TO(OBJECT_PRESENT) | TO(OBJECT_RETRYING) | TO(OBJECT_QUARANTINED) | TO(OBJECT_GONE) | \
	TO(OBJECT_ARCHIVED))

static const struct {
	const char *name;
	uint32_t next;
} object_states[OBJECT_STATES] = {
	[OBJECT_NONE]        = { "none",        TO_ANY_KNOWN & ~TO(OBJECT_GONE) },
	[OBJECT_PRESENT]     = { "present",     TO_ANY_KNOWN },
	[OBJECT_RETRYING]    = { "retrying",    TO_ANY_KNOWN },
	[OBJECT_QUARANTINED] = { "quarantined", TO_ANY_KNOWN },
	[OBJECT_GONE]        = { "gone",        TO_ANY_KNOWN },
	[OBJECT_ARCHIVED]    = { "archived",    TO_ANY_KNOWN },
};

static const char *const stages[STAGES] = {
	[STAGE_NONE]      = "none",
	[STAGE_FETCH]     = "fetch",
	[STAGE_NORMALIZE] = "normalize",
	[STAGE_INFER]     = "infer",
	[STAGE_ROUTE]     = "route",
};

static const char *const medias[MEDIAS] = {
	[MEDIA_UNKNOWN] = "unknown",
	[MEDIA_IMAGE]   = "image",
	[MEDIA_TEXT]    = "text",
	[MEDIA_AUDIO]   = "audio",
	[MEDIA_VIDEO]   = "video",
	[MEDIA_OTHER]   = "other",
};

static const char *const statuses[STATUSES] = {
	[STATUS_NONE]            = "ANNOTATION_STATUS_UNKNOWN",
	[STATUS_SUCCESS]         = "ANNOTATION_SUCCESS",
	[STATUS_AWAITING_REVIEW] = "ANNOTATION_AWAITING_REVIEW",
	[STATUS_REVIEW_DENIED]   = "ANNOTATION_REVIEW_DENIED",
};

static const char *const makers[ANNOTATION_MAKERS] = {
	[BY_UNKNOWN] = "unknown",
	[BY_HUMAN]   = "human",
	[BY_MACHINE] = "machine",
};

static const char *const reasons[ANNOTATION_REASONS] = {
	[REASON_NONE]     = "none",
	[REASON_CONFLICT] = "conflict",
};

/* Index of name; 0, which is "none of them" in every one of these enums, when it is not there. */
static int find(const char *const *names, int count, struct slice name)
{
	for (int i = 1; i < count; i++) {
		if (slice_eq(slice_of(names[i]), name))
			return i;
	}
	return 0;
}

const char *stage_name(enum stage s)
{
	assert(s < STAGES);
	return stages[s];
}

enum stage stage_parse(struct slice name)
{
	return (enum stage)find(stages, STAGES, name);
}

const char *item_state_name(enum item_state s)
{
	assert(s < ITEM_STATES);
	return item_states[s].name;
}

enum item_state item_state_parse(struct slice name)
{
	for (enum item_state s = ITEM_NONE + 1; s < ITEM_STATES; s++) {
		if (slice_eq(slice_of(item_states[s].name), name))
			return s;
	}
	return ITEM_NONE;
}

enum stage item_state_work(enum item_state s)
{
	assert(s < ITEM_STATES);
	return item_states[s].work;
}

bool item_may_move(enum item_state from, enum item_state to)
{
	assert(from < ITEM_STATES && to < ITEM_STATES);
	return from == to || (item_states[from].next & TO(to)) != 0;
}

const char *object_state_name(enum object_state s)
{
	assert(s < OBJECT_STATES);
	return object_states[s].name;
}

bool object_may_move(enum object_state from, enum object_state to)
{
	assert(from < OBJECT_STATES && to < OBJECT_STATES);
	return from == to || (object_states[from].next & TO(to)) != 0;
}

const char *media_name(enum media m)
{
	assert(m < MEDIAS);
	return medias[m];
}

enum media media_parse(struct slice name)
{
	return (enum media)find(medias, MEDIAS, name);
}

const char *status_name(enum annotation_status s)
{
	assert(s < STATUSES);
	return statuses[s];
}

enum annotation_status status_parse(struct slice name)
{
	return (enum annotation_status)find(statuses, STATUSES, name);
}

const char *maker_name(enum annotation_maker m)
{
	assert(m < ANNOTATION_MAKERS);
	return makers[m];
}

enum annotation_maker maker_parse(struct slice name)
{
	return (enum annotation_maker)find(makers, ANNOTATION_MAKERS, name);
}

const char *reason_name(enum annotation_reason r)
{
	assert(r < ANNOTATION_REASONS);
	return reasons[r];
}

enum annotation_reason reason_parse(struct slice name)
{
	return (enum annotation_reason)find(reasons, ANNOTATION_REASONS, name);
}
