/* cleanup.h - scope-bound release of locals: CLEANUP(freep) char *p = ...; runs freep(&p) when p leaves scope. */
#ifndef INLET_BASE_CLEANUP_H
#define INLET_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Defines fn_p(T *p) for a destructor fn(T) that accepts NULL: CLEANUP_FN(struct queue *, queue_free), beside fn in its header. */
#define CLEANUP_FN(type, fn)                                                                                           \
	static inline void fn##p(type *p) /* NOLINT(bugprone-macro-parentheses) */                                     \
	{                                                                                                              \
		fn(*p);                                                                                                \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void close_fdp(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Hands an owned descriptor on: returns it and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* Hands an owned pointer on: evaluates to it and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		__typeof__(p) taken_ = (p);                                                                            \
		(p) = NULL;                                                                                            \
		taken_;                                                                                                \
	})

#endif
