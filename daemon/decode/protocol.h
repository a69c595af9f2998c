/* protocol.h - what inletd and an inlet-decode worker say to each other over their SOCK_SEQPACKET pair.
 *
 *   daemon                                   worker
 *     HELLO  limits                    -->     loads its libraries, puts the sandbox on
 *            what is on, or why not    <--   READY
 *     JOB    object fd, result fd      -->     reads no byte of media before this
 *            verdict, section lengths  <--   DONE
 *
 * Every message is one packet: a struct in the machine's own byte order, for both sides are built together (the magic
 * changes with the layout). The object fd is a sealed memfd that holds the object's bytes (or its head, when it is over
 * the limit) and nothing else. The result fd is a memfd that the daemon made, with size sealed at wire_capacity(): the
 * worker writes the sections one after the other from offset 0, in the order of enum wire_section.
 *
 * The worker trusts the daemon. The daemon trusts nothing: once a worker has seen hostile bytes it may say anything.
 * All that it says passes wire_ready_check(), wire_done_check() and answer.h before anyone uses it. */
#ifndef INLET_DECODE_PROTOCOL_H
#define INLET_DECODE_PROTOCOL_H

#include "daemon/base/err.h"
#include "daemon/model/content_id.h"
#include "daemon/model/input.h"
#include "daemon/model/state.h"

#include <stdbool.h>
#include <sys/types.h>

#define WIRE_MAGIC 0x31434449U /* "IDC1" */
#define WIRE_FD 3	       /* where a worker finds its end of the pair */
#define WIRE_REASON_MAX 400
#define WIRE_TYPE_MAX 128
#define WIRE_FACTS_MAX (64U << 10)
#define WIRE_HEAD_MAX (256U << 10) /* bytes of an object over the size limit that are given, to tell what it is */
#define WIRE_THUMBNAIL_MAX 4096U   /* longest side that may be asked for */

enum wire_kind { WIRE_HELLO = 1, WIRE_READY, WIRE_JOB, WIRE_DONE };
struct wire_head {
	uint32_t magic;
	uint32_t kind;
	uint64_t job; /* JOB and the DONE that answers it */
};

struct wire_hello {
	struct wire_head head;
	uint64_t memory_bytes; /* address space over what the libraries map */
	uint64_t max_bytes, max_pixels;
	uint32_t thumbnail;
	uint32_t unused;
};

enum { SANDBOX_SECCOMP = 1, SANDBOX_LANDLOCK = 2 };
struct wire_ready {
	struct wire_head head;
	uint32_t sandbox; /* bits; SANDBOX_SECCOMP is never missing from a working one */
	uint32_t unused;
	char failure[WIRE_REASON_MAX]; /* why it is not on; empty: it is */
};

struct wire_job {
	struct wire_head head;
	uint64_t object_bytes; /* the object's size */
	uint64_t given_bytes;  /* of them in the object fd: all, or its head when it is over the limit */
	uint32_t want_count;
	uint32_t inputs_only;
	struct pixel_spec wants[PIXEL_SPECS_MAX];
};

enum wire_verdict { WIRE_DECODED = 1, WIRE_PARKED, WIRE_REJECTED, WIRE_FAILED }; /* WIRE_FAILED: try again later */
enum wire_section { WIRE_FORM, WIRE_FACTS, WIRE_THUMBNAIL, WIRE_TEXT, WIRE_INPUTS, WIRE_SECTIONS };
struct wire_done {
	struct wire_head head;
	uint32_t verdict;
	uint32_t media;
	uint32_t width, height;
	struct content_id canonical;
	char media_type[WIRE_TYPE_MAX];
	char reason[WIRE_REASON_MAX]; /* REJECTED and FAILED */
	uint64_t section[WIRE_SECTIONS];
};

/* Largest number of bytes a section may have; the result file's size is their sum. */
uint64_t wire_section_max(enum wire_section s, const struct wire_hello *limits, const struct wire_job *job);
uint64_t wire_capacity(const struct wire_hello *limits, const struct wire_job *job);

/* One packet out; fds (at most 2) go with it. -1 with errno. */
int wire_send(int sock, const void *message, size_t size, const int *fds, size_t fd_count);
/* One packet in, waiting for it. With fd_count descriptors expected (at most 2), any other number is closed and refused
 * (EPROTO); with none expected the kernel drops what came. Returns its bytes, 0 at end of file, -1 with errno. */
ssize_t wire_receive(int sock, void *message, size_t max, int *ret_fds, size_t fd_count);

/* A packet as the worker's READY, every field checked: ERR_FATAL with what it lied about, or with its own failure. */
int wire_ready_check(const void *packet, size_t size, struct wire_ready *ret, struct err *err);
/* A packet as the answer to job: size, magic, number, enums, lengths, dimensions and strings are what an honest worker
 * could say. Text in ret is UTF-8 of one line. ERR_RETRY with what it lied about: the worker must not be used again. */
int wire_done_check(const void *packet, size_t size, const struct wire_hello *limits, const struct wire_job *job,
		    struct wire_done *ret, struct err *err);

#endif
