/* log.c - the log: structured to the journal, one line an event to anything else. */
#define SD_JOURNAL_SUPPRESS_LOCATION /* every line would name this file */
#include "daemon/base/log.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *message_id; /* random once (systemd-id128 new), then fixed */
} events[LOG_EVENTS] = {
	[LOG_STARTED]     = { "started",     "7f014e874f544b9f829eabcd5ce4c1a7" },
	[LOG_STOPPED]     = { "stopped",     "635662c63a08467ba5f849bfeb70fcf8" },
	[LOG_RECOVERED]   = { "recovered",   "f5e68bbf47e34d529abbe3d653bf5e67" },
	[LOG_SOURCE]      = { "source",      "9e80d6ce25484c3e9a55acf16b1d3b71" },
	[LOG_PROGRESS]    = { "progress",    "c9de1dc52ea54394b5970b57492997e6" },
	[LOG_PAUSED]      = { "paused",      "0a70f39204c149ed8ac49304903658c4" },
	[LOG_RESUMED]     = { "resumed",     "8ba79af9859c40b29299eb6cae45b1c6" },
	[LOG_QUARANTINED] = { "quarantined", "6631e8cdbb9f420b91c882d77aef2aae" },
	[LOG_RETRYING]    = { "retrying",    "b4a159abed86477eab8774f62966333e" },
	[LOG_MODEL]       = { "model",       "613ccf3ad4884e7086261afe6ddf71c5" },
	[LOG_WORKER]      = { "worker",      "0de6149aba8547d7921166272faaca29" },
	[LOG_STORE]       = { "store",       "a555f488ea694fda9b172cae86afa327" },
	[LOG_FATAL]       = { "fatal",       "ea19163e81e64ed2b82fc65f7d8bdcaa" },
	[LOG_DETAIL]      = { "detail",      "9beb7c49b3fc4d42b81f3fcdabbfc0ec" },
};

/* Set by log_init() before there are threads, read-only afterwards. */
static enum { TO_STDERR, TO_TERMINAL, TO_JOURNAL } sink;
static const char *program_name = "inlet";
static enum log_priority least = LOG_PRI_INFO;

/* $JOURNAL_STREAM is "dev:inode" of the socket that systemd made stderr: inherited and then redirected, it differs. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	char here[64];
	(void)snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, here) == 0;
}

void log_init(const char *program, bool verbose)
{
	program_name = program;
	least = verbose ? LOG_PRI_DEBUG : LOG_PRI_INFO;
	sink = stderr_is_journal() ? TO_JOURNAL : isatty(STDERR_FILENO) ? TO_TERMINAL : TO_STDERR;
}

/* A message may quote what outsiders named: it stays one line and cannot steer a terminal. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
	}
}

static int to_journal(enum log_event event, enum log_priority priority, const char *text)
{
	return sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", (int)priority, "MESSAGE_ID=%s",
			       events[event].message_id, "INLET_EVENT=%s", events[event].name, "SYSLOG_IDENTIFIER=%s",
			       program_name, NULL);
}

/* One write(2) a line, so that lines of several threads and processes do not mix. */
static void to_stderr(enum log_event event, enum log_priority priority, const char *text)
{
	CLEANUP(freep) char *line = NULL;
	if (sink == TO_TERMINAL)
		line = mem_printf("%s: %s%s: %s\n", program_name,
				  priority <= LOG_PRI_ERR ? "error: " : priority == LOG_PRI_WARNING ? "warning: " : "",
				  events[event].name, text);
	else
		line = mem_printf("<%d>%s: %s\n", (int)priority, events[event].name, text);
	while (write(STDERR_FILENO, line, strlen(line)) < 0 && errno == EINTR)
		;
}

void log_write(enum log_event event, enum log_priority priority, const char *fmt, ...)
{
	if (priority > least)
		return;
	int saved = errno;
	CLEANUP(freep) char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL; /* vasprintf leaves it undefined */
	} else {
		make_plain(text);
		if (sink != TO_JOURNAL || to_journal(event, priority, text) < 0)
			to_stderr(event, priority, text);
	}
	errno = saved;
}
