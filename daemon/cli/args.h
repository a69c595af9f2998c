/* args.h - the command line, checked against the table of verbs. */
#ifndef INLET_CLI_ARGS_H
#define INLET_CLI_ARGS_H

#include "daemon/cli/verbs.h"

struct args {
	const struct verb *verb;      /* NULL: none given */
	const char *config;           /* --config; NULL: search */
	bool json, help, version;
	const char **words;           /* what follows the verb and is no option; owned array of argv's strings */
	size_t word_count;
	const char *values[VERB_OPTIONS_MAX]; /* beside verb->options; NULL: not given; "" for flags */
};

/* ERR_REJECT: a usage error, with "did you mean" and the command that helps. On failure too, args_done() frees. */
int args_parse(int argc, char *const *argv, struct args *ret, struct err *err);
void args_done(struct args *a);

/* An option of the verb (which must have it): its value, "" for a flag, NULL where it is not given. */
const char *args_option(const struct args *a, const char *name);

#endif
