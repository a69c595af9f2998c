/* aws_process.h - credential_process: a program of the user's that prints credentials as JSON. No shell runs it. */
#ifndef INLET_CONNECTORS_AWS_PROCESS_H
#define INLET_CONNECTORS_AWS_PROCESS_H

#include "connectors/aws_credentials.h"
#include "daemon/base/slice.h"

#define AWS_PROCESS_WORDS 64U
#define AWS_PROCESS_MS 60000U /* longer is killed, with the processes that it started */

/* Splits as a shell does, without running one: blanks between words, '...', "..." with \" and \\, \x. *ret: strings and the NULL
 * after them in one block of the caller's. -1: a quote that is not closed, no word, or too many. */
int aws_process_words(struct slice command, char ***ret);
/* Blocks for as long as the program runs; *stopping ends it. Its stderr goes nowhere: it may say anything. ERR_RETRY. */
int aws_process_run(struct slice command, const atomic_bool *stopping, struct aws_credentials *ret, struct err *err);

#endif
