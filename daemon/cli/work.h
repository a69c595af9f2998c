/* work.h - asks the owner to do work, shows on the terminal how it goes, and says how it ended. */
#ifndef INLET_CLI_WORK_H
#define INLET_CLI_WORK_H

#include "daemon/cli/verbs.h"

#include <jansson.h>

/* POST body to path, watching. The answer, which the caller owns. */
int work_request(struct cli *c, const char *path, const char *body, json_t **ret, struct err *err);
/* Print an answer with counts, as JSON or for people. EXIT_DONE, EXIT_PARTIAL where something is left over, EXIT_FAILED
 * where the wait ended early; -1. waited: the request was to return when the work is done. */
int work_report(struct cli *c, const json_t *answer, bool waited, struct err *err);
/* Print why the wait for an answer's work ended early. */
int work_not_done(const json_t *answer, struct err *err);
/* Print what each of the sources of a status says of itself, where it says anything. */
int work_messages(const json_t *sources, struct err *err);

#endif
