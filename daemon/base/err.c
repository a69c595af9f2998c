/* err.c - formats and wraps struct err. */
#include "daemon/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_class class, int sys, const char *fmt, ...)
{
	if (!err)
		return -1;
	char text[sizeof(err->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (sys != 0 && n >= 0 && (size_t)n < sizeof(text)) {
		char why[128];
		const char *msg = strerror_r(sys, why, sizeof(why)); /* the GNU form: thread-safe */
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ": %s", msg);
	}
	err->class = class;
	err->sys = sys;
	err->wait_ms = 0;
	memcpy(err->text, text, sizeof(text));
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -1;
	char text[sizeof(err->text)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text))
		(void)snprintf(text + n, sizeof(text) - (size_t)n, ": %.*s", (int)sizeof(text) - n, err->text);
	memcpy(err->text, text, sizeof(text));
	return -1;
}

const char *err_class_name(enum err_class class)
{
	switch (class) {
	case ERR_RETRY: return "retry";
	case ERR_REJECT: return "reject";
	case ERR_FATAL: return "fatal";
	}
	return "unknown";
}
