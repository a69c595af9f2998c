/* helper.h - a program of the user's that prints credentials. No shell runs it. */
#ifndef INLET_CONNECTORS_HELPER_H
#define INLET_CONNECTORS_HELPER_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdatomic.h>

#define HELPER_WORDS 64U
#define HELPER_OUTPUT_MAX (64U << 10)

struct helper {
	const char *what;             /* for messages: "credential_process" */
	struct slice command;
	char *const *environment;     /* NULL: ours */
	uint32_t timeout_ms;          /* longer is killed, with the processes that it started */
	const atomic_bool *stopping;  /* NULL allowed */
};

/* Splits as a shell does, without running one: blanks between words, '...', "..." with \" and \\, \x. *ret: strings and the NULL
 * after them in one block of the caller's. -1: a quote that is not closed, no word, or too many. */
int helper_words(struct slice command, char ***ret);
/* Blocks for as long as the program runs. What it prints comes into the empty *ret_output, for buf_wipe() in every case; its stderr
 * goes nowhere: it may say anything. ERR_RETRY; ERR_REJECT: no command. */
int helper_run(const struct helper *h, struct buf *ret_output, struct err *err);

#endif
