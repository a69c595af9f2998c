/* reader.h - reads the members of one JSON object strictly: each is there once, of its type and in its range, and none is
 * left over. Failures are sticky: after the first, every call gives zeros, and reader_finish() reports it. */
#ifndef INLET_MODEL_READER_H
#define INLET_MODEL_READER_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/content_id.h"

#include <jansson.h>

#define READER_MEMBERS_MAX 32

struct reader {
	json_t *root;                          /* owned */
	struct slice line;                     /* borrowed until reader_finish() */
	struct buf bytes;                      /* what base64 and raw members become; reserved once, so slices stay put */
	const char *used[READER_MEMBERS_MAX];  /* keys inside root */
	size_t used_count;
	bool reals;                            /* a number that is no int64 is in the line: all of them were read as reals */
	bool failed;
	struct err why;
};

/* ERR_REJECT: the line is not one JSON object with members of different names. reader_done() is fine after either. */
int reader_init(struct reader *r, struct slice line, struct err *err);
void reader_done(struct reader *r);

/* Slices live until reader_done(). Text is "name": "..." or "name_base64": "...". */
struct slice reader_text(struct reader *r, const char *name);          /* must be there, may be empty */
struct slice reader_text_or_empty(struct reader *r, const char *name); /* may be absent */
struct slice reader_raw_object(struct reader *r, const char *name);    /* the value's text as written; absent: empty */
struct slice reader_raw_list(struct reader *r, const char *name);
/* The text of the next element of a list of reader_raw_list(), which *list moves past. False: there is none. */
bool reader_raw_next(struct slice *list, struct slice *ret);
uint64_t reader_u64(struct reader *r, const char *name, uint64_t min, uint64_t max);
uint64_t reader_u64_or(struct reader *r, const char *name, uint64_t max, uint64_t fallback);
int64_t reader_i64(struct reader *r, const char *name);
bool reader_flag(struct reader *r, const char *name);                  /* absent: false */
double reader_confidence_or(struct reader *r, const char *name, double fallback);
double reader_real_or(struct reader *r, const char *name, double fallback);         /* any number */
void reader_id(struct reader *r, const char *name, struct content_id *ret);         /* must be there */
void reader_id_or_none(struct reader *r, const char *name, struct content_id *ret);
const json_t *reader_list(struct reader *r, const char *name);         /* borrowed; NULL after a failure */

/* >= 0 and within a float. Also what reader_confidence_or() demands. */
bool reader_is_confidence(const json_t *value);
/* The bytes that base64 text stands for, kept as other slices are; *ret_ok false: not base64. */
struct slice reader_unbase64(struct reader *r, struct slice text, bool *ret_ok);
void reader_fail(struct reader *r, const char *name, const char *why); /* "member 'NAME' WHY" */
/* -1: the first failure, or a member that nobody asked for. */
int reader_finish(struct reader *r, struct err *err);

#endif
