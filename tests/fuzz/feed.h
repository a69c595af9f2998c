/* feed.h - the input of a fuzz target as a manifest that comes in pieces. */
#ifndef INLET_TESTS_FUZZ_FEED_H
#define INLET_TESTS_FUZZ_FEED_H

#include "daemon/base/err.h"

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct feed {
	const uint8_t *data;
	size_t left, piece; /* bytes to come, and at most at once */
};

/* A manifest_read_fn over a struct feed. */
static ssize_t feed_read(void *arg, void *p, size_t n, struct err *err)
{
	struct feed *f = arg;
	(void)err;
	n = n < f->left ? n : f->left;
	n = n < f->piece ? n : f->piece;
	if (n)
		memcpy(p, f->data, n);
	f->data += n;
	f->left -= n;
	return (ssize_t)n;
}

#endif
