/* threads.c - pthread_create() with a place for its failure. */
#include "daemon/base/threads.h"

#include "daemon/base/mem.h"

#include <stdlib.h>

int threads_start(struct threads *t, size_t n, void *(*run)(void *), void *arg, const char *what, struct err *err)
{
	t->at = mem_zero(n, sizeof(*t->at));
	for (; t->count < n; t->count++) {
		int failed = pthread_create(&t->at[t->count], NULL, run, arg);
		if (failed)
			return err_set(err, ERR_FATAL, failed, "start %s: %zu of %zu run; allow more threads (TasksMax= of the unit, ulimit -u) or "
				"memory", what, t->count, n);
	}
	return 0;
}

void threads_join(struct threads *t)
{
	for (size_t i = 0; i < t->count; i++)
		(void)pthread_join(t->at[i], NULL);
	free(t->at);
	*t = (struct threads){ 0 };
}
