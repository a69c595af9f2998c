/* err.h - what went wrong: a class that says what to do, and a text that says why. */
#ifndef INLET_BASE_ERR_H
#define INLET_BASE_ERR_H

#include <stdint.h>

/* ERR_RETRY: try later. ERR_REJECT: this object can never succeed, quarantine it. ERR_FATAL: stop the daemon. */
enum err_class { ERR_RETRY = 1, ERR_REJECT, ERR_FATAL };

struct err {
	enum err_class class;
	int sys;        /* errno of the failed call, 0 where there is none */
	uint32_t wait_ms; /* ERR_RETRY: the other side asked not to be tried before (Retry-After); 0: it did not */
	char text[512]; /* object, reason and, where one is known, the cure; always terminated, cut if too long */
};

/* Fills *err and returns -1, so that a failure reads "return err_set(...)". Appends ": strerror(sys)" unless sys is 0.
 * wait_ms becomes 0. err may be NULL: the caller does not care why. */
int err_set(struct err *err, enum err_class class, int sys, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts context and ": " in front of the text; keeps class, sys and wait_ms; returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *err_class_name(enum err_class class); /* "retry", "reject", "fatal" */

#endif
