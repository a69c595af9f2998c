/* bucket.h - what every bucket source shares: which bucket it is, which keys count, when to look again, and what status says.
 *
 * A pass of a bucket connector: bucket_begin(); pages through struct bucket_page (bucket_page.h), which asks bucket_wants();
 * then bucket_went_through(), or bucket_failed() with what ended it. Between passes bucket_pump() says when the next is due. */
#ifndef INLET_CONNECTORS_BUCKET_H
#define INLET_CONNECTORS_BUCKET_H

#include "config/config.h"
#include "connectors/connector.h"

#include <pthread.h>
#include <stdatomic.h>

#define BUCKET_KEY_MAX 1024  /* bytes; both providers' limit */

struct bucket {
	const struct bucket_config *config; /* borrowed */
	const char *scheme;                 /* "s3", "gs": as in the URL of an object; static */
	atomic_bool stopping;               /* set by bucket_stop(): every running call returns soon */
	_Atomic uint64_t listed;            /* keys below the prefix in the running pass */
	_Atomic uint64_t wanted;            /* of these, what the filters let through */
	_Atomic uint64_t archived;          /* of these, what must be restored before it can be read */
	atomic_bool sampled;                /* sample is set, or about to be */

	pthread_mutex_t lock;               /* guards what follows */
	char root[256];                     /* "gs://bucket", as of the last look; "" not seen yet */
	bool offline;
	uint32_t failures;                  /* passes in a row */
	uint64_t due_ns;                    /* clock_mono_ns() of the next pass */
	char sample[96];                    /* after the prefix, of a key that the filters refuse, printable: what they see */
	char message[512];
};

void bucket_init(struct bucket *b, const char *scheme, const struct bucket_config *config);
void bucket_done(struct bucket *b);

void bucket_begin(struct bucket *b); /* a pass */
/* Does this key count? It begins with the prefix and the filters let it through (globs over the rest of it). Many threads. */
bool bucket_wants(struct bucket *b, struct slice key);
/* The pass saw every key. in_bucket: whether the bucket has any key at all; only asked for, and worth a request, where a prefix
 * is set and nothing was listed (bucket_saw_nothing()). */
bool bucket_saw_nothing(const struct bucket *b);
void bucket_went_through(struct bucket *b, bool in_bucket);
/* The pass ended early: the source is offline and looked at again after a backoff, not before why->wait_ms. Not while stopping:
 * that is no failure. */
void bucket_failed(struct bucket *b, const struct err *why);

/* The rows of connector_ops that are the same for all buckets. A bucket has no events: it is polled. */
void bucket_pump(struct bucket *b, uint64_t *ret_due_ns, enum discover_scope *ret_scope);
void bucket_status(struct bucket *b, struct source_status *ret);
void bucket_stop(struct bucket *b);

/* Findings of connector_ops.check() that all buckets have: who else may read the credentials file (NULL: there is none); the server's
 * clock (0: it sent none) beside ours, from error_ms on an error, for there the provider refuses what we sign. */
void bucket_check_file(const char *credentials, check_fn *tell, void *arg);
void bucket_check_clock(int64_t server_ms, int64_t error_ms, check_fn *tell, void *arg);

/* "gs://bucket/key" as a person reads it: for messages. */
void bucket_describe(const struct bucket *b, struct slice key, char *ret_text, size_t size);

#endif
