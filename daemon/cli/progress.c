/* progress.c - the progress line. */
#include "daemon/cli/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool shown;

bool progress_seen(void)
{
	return isatty(STDERR_FILENO);
}

void progress_show(const char *fmt, ...)
{
	if (!progress_seen())
		return;
	va_list ap;
	va_start(ap, fmt);
	(void)fputs("\r\033[K", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fflush(stderr);
	va_end(ap);
	shown = true;
}

void progress_clear(void)
{
	if (!shown)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	shown = false;
}
