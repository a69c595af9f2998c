/* payload.h - the bytes of an upload: frames, and of a file what its frame says of it or none. Seen only by daemon/sender. One thread. */
#ifndef INLET_SENDER_PAYLOAD_H
#define INLET_SENDER_PAYLOAD_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Frames, then the bytes of one file where there is one. */
struct payload {
	struct slice frames;
	int fd;                  /* -1: none; the caller's */
	uint64_t left;           /* of the file */
	const struct stat *then; /* the file when it was opened */
	struct err why;          /* class 0: nothing is wrong with the file */
};

/* An import_give_fn of a struct payload. Where the file cannot be read, or changed under the reader, the last piece is held back: what
 * is there of it is dropped then. ERR_RETRY, as p->why. */
ssize_t payload_give(void *payload, void *to, size_t n, struct err *err);
/* All then->st_size bytes of a file. ERR_RETRY: it cannot be read (sys), or it changed (sys 0). */
int payload_read(int fd, const struct stat *then, char *ret, struct err *err);

#endif
