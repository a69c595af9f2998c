/* sinks.h - where fetched bytes go: into an arena's next member, into memory of their size, into a file (by the caller, or behind it by a large_writer),
 * or nowhere but the hash. Each hashes what passes and refuses more than its limit. One thread; plain data, no destructor. */
#ifndef INLET_FLOW_SINKS_H
#define INLET_FLOW_SINKS_H

#include "connectors/connector.h"
#include "daemon/base/hash.h"
#include "daemon/flow/account.h"
#include "daemon/store/arena.h"
#include "daemon/store/large_writer.h"

#define SINK_BUFFER (512U << 10)

struct fetch_sink {
	struct sink sink;         /* first: what the connector sees */
	struct account *account;  /* a byte that passes is progress */
	struct sha256 *hash;
	uint64_t limit;           /* bytes; one more is refused */
	uint64_t bytes;           /* passed so far */
	uint8_t *place;           /* arena: the member's payload; memory: as given; large: where the last space() was; else a buffer of SINK_BUFFER */
	size_t room;
	int fd;                   /* file: written at `bytes`; -1 none */
	size_t held;              /* file: in the buffer, not yet written */
	struct large_writer *writer;
};

void sink_arena(struct fetch_sink *s, struct account *account, struct sha256 *hash, struct arena *a);
void sink_memory(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *place, size_t room);
void sink_file(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *buffer, int fd, uint64_t limit);
void sink_large(struct fetch_sink *s, struct account *account, struct sha256 *hash, struct large_writer *w, uint64_t limit);
void sink_hash(struct fetch_sink *s, struct account *account, struct sha256 *hash, uint8_t *buffer, uint64_t limit);
/* The refusal of what is larger than limits.object: ERR_REJECT, EFBIG; -1. */
int sink_too_large(uint64_t limit, struct err *err);
/* Writes what is held and gives the hash of all that passed. */
int sink_end(struct fetch_sink *s, struct content_id *ret, struct err *err);
/* The same of all that lies in fd already, through a buffer of SINK_BUFFER. */
int sink_reread(struct account *account, struct sha256 *hash, uint8_t *buffer, int fd, struct content_id *ret, uint64_t *ret_bytes,
	struct err *err);

#endif
