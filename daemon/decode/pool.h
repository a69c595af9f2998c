/* pool.h - the daemon's side of inlet-decode: worker processes that parse untrusted media. inletd itself parses none.
 *
 * A worker is given descriptors over its socketpair (protocol.h) and has no network, no files, no new privileges; it is
 * killed at its time limit and replaced after `recycle` items, after a death and after a kill. decode_run() blocks; at most
 * `workers` run at once, further callers wait. */
#ifndef INLET_DECODE_POOL_H
#define INLET_DECODE_POOL_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/content_id.h"
#include "daemon/model/input.h"
#include "daemon/model/state.h"

#include <stdbool.h>

#define NORMALIZER_VERSION 1U /* of canonical form and canonical id; raise it when either changes for any input */

struct decode_options {
	const char *worker;        /* path of inlet-decode */
	int workers;
	uint32_t recycle;          /* items a worker serves */
	uint32_t time_limit_ms;    /* per item */
	uint64_t memory_bytes;     /* RLIMIT_AS of a worker, over what its libraries map */
	uint64_t max_bytes;        /* of one encoded object that is decoded (100 MB); larger ones are rejected with the limit's name */
	uint64_t max_pixels;       /* 100 Mpx, frames summed */
	uint32_t thumbnail;        /* longest side in pixels, 256; 0: none */
};

struct decode_job {
	int fd;                    /* the object's bytes at [offset, offset + bytes); borrowed. The worker never sees more */
	uint64_t offset, bytes;
	const struct pixel_spec *wants; /* inputs that models want of an image */
	size_t want_count;
	bool inputs_only;          /* skip thumbnail, canonical form and hash: only the wants (or text) again */
};
struct decode_result {         /* decode_result_done() frees */
	bool decoded;              /* false: media known but no decoder handles it (parked) */
	enum media media;
	char media_type[128];      /* by libmagic, inside the worker */
	uint32_t width, height;    /* upright pixels */
	struct content_id canonical;
	struct buf facts;          /* JSON object: format, orientation, frames, icc, exif subset; text: charset, lines, … */
	struct buf thumbnail;      /* JPEG or PNG; may be empty */
	struct buf form;           /* canonical form where it differs from the original bytes, else empty */
	uint8_t *inputs[PIXEL_SPECS_MAX]; /* one per want, pixel_spec_bytes() each, for images */
	struct buf text;           /* text: canonical UTF-8, at most TEXT_INPUT_MAX */
};
void decode_result_done(struct decode_result *r);

struct decode_pool;
/* Fails closed: ERR_FATAL when a worker cannot put its sandbox on; the message says what is missing and how to allow it. */
int decode_pool_open(const struct decode_options *o, struct decode_pool **ret, struct err *err);
/* ERR_REJECT: these bytes cannot be decoded (reason, byte offset where known, what would fix it; ret->media and media_type are
 * filled in where they could be told), or they killed a worker twice. ERR_RETRY: a worker could not be started or the pool is
 * stopping. Any thread. */
int decode_run(struct decode_pool *p, const struct decode_job *job, struct decode_result *ret, struct err *err);
void decode_pool_stop(struct decode_pool *p);  /* kills running workers; running calls end with ERR_RETRY */
void decode_pool_close(struct decode_pool *p); /* NULL allowed; no call may be running */
struct decode_stats {
	uint64_t items, deaths, timeouts, recycled;
	int workers;
	const char *sandbox; /* "seccomp+landlock" or "seccomp" */
};
void decode_pool_stats(struct decode_pool *p, struct decode_stats *ret);

#endif
