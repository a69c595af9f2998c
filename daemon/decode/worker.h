/* worker.h - the inside of inlet-decode: one job at a time, from bytes to an answer. Linked into no other program.
 *
 *   worker.c           the loop: greets, receives, answers
 *   worker_sandbox     what it gives up before the first job
 *   worker_identify    what the bytes are (libmagic)
 *   worker_image       images (libvips), with worker_colour, worker_pixels and worker_resize
 *   worker_text        texts, with worker_charset
 *   worker_output      sections into the result file
 */
#ifndef INLET_DECODE_WORKER_H
#define INLET_DECODE_WORKER_H

#include "daemon/base/err.h"
#include "daemon/decode/protocol.h"
#include "daemon/decode/worker_output.h"

/* One job. done->media and ->media_type are filled before a decoder runs; a decoder fills width, height and canonical,
 * writes its sections, and returns 0; ERR_REJECT and ERR_RETRY become the verdict. */
struct task {
	const uint8_t *bytes; /* the object, mapped read-only */
	size_t size;
	const struct wire_job *job;
	const struct wire_hello *limits;
	struct output *out;
	struct wire_done *done;
};

/* Serves jobs from the socket until it is closed. Returns the exit status. */
int worker_serve(int sock);

#endif
