/* real.h - where the tests of daemon/infer find real models and the runtime. */
#ifndef INLET_TESTS_INFER_REAL_H
#define INLET_TESTS_INFER_REAL_H

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/infer/backend.h"

#include <glob.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define CURE "; `make models` fetches the default models"

/* The wheel's library where `make models` put one, else NULL: the system's. */
static inline const char *real_library(void)
{
	static char *path;
	const char *build = getenv("INLET_BUILD");
	CLEANUP(freep) char *pattern = mem_printf("%s/lib/libonnxruntime.so*", build ? build : "build");
	CLEANUP(globfree) glob_t found = { 0 };
	if (!path && glob(pattern, 0, NULL, &found) == 0)
		path = mem_strdup(found.gl_pathv[found.gl_pathc - 1]);
	return path;
}

static inline struct backend_options real_options(void)
{
	return (struct backend_options){ .library = real_library(), .threads = 2 };
}

/* A file among the shipped models; the caller frees it. Missing: the test fails with the cure. */
static inline char *real_model(const char *name)
{
	const char *folder = getenv("INLET_MODELS");
	char *path = mem_printf("%s/%s", folder ? folder : "config/models", name);
	if (access(path, R_OK) != 0)
		fail_msg("there is no '%s'" CURE, path);
	return path;
}

#endif
