/* threads.h - a fixed number of threads that run one function on one argument, started and joined together. */
#ifndef INLET_BASE_THREADS_H
#define INLET_BASE_THREADS_H

#include "daemon/base/err.h"

#include <pthread.h>
#include <stddef.h>

struct threads {
	pthread_t *at;
	size_t count; /* that run, until they are joined */
};

/* t begins zeroed. -1 ERR_FATAL, a limit of the system's: fewer run, or none; whoever owns them tells these to end and joins them, as
 * if all had been started. what names them in the message, in the plural. */
int threads_start(struct threads *t, size_t n, void *(*run)(void *), void *arg, const char *what, struct err *err);
/* Waits for them to end; t is zeroed again. One that was never started is fine. Not for one of themselves. */
void threads_join(struct threads *t);

#endif
