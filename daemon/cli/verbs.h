/* verbs.h - the table of verbs: what each is called, takes and does. */
#ifndef INLET_CLI_VERBS_H
#define INLET_CLI_VERBS_H

#include "daemon/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_code { /* documented in `inlet help`; scripts rely on them */
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PARTIAL = 3, /* done, but something is quarantined, retrying, offline, unsettled or damaged */
	EXIT_INTERRUPTED = 130,
};

struct args;
struct rule;
struct client;
struct config;

struct cli {
	const struct args *args;
	const struct config *config; /* NULL for verbs that read none */
	struct client *client;       /* NULL unless the verb speaks to the store's owner */
};

#define VERB_OPTIONS_MAX 12
#define WORDS_ANY ((size_t)-1)
struct verb_option {
	const char *name;
	char letter;       /* "-o"; 0: none */
	const char *value; /* what it takes, for help; NULL: a flag */
	const char *help;
	const struct rule *rule; /* of its value; NULL: the verb looks at it */
};
enum verb_needs { NEEDS_NOTHING, NEEDS_CONFIG, NEEDS_OWNER };
struct verb {
	const char *name, *usage, *help;
	enum verb_needs needs;
	size_t words_min, words_max;
	int (*run)(struct cli *c, struct err *err); /* an enum exit_code, or -1 with err */
	const struct verb_option *options;          /* NULL: none; ends with a NULL name */
	const struct rule *rule;                    /* of its first word, or of each where there may be any; NULL: anything */
};

const struct verb *verb_find(const char *name);      /* NULL: unknown */
const char *verb_nearest(const char *name);          /* NULL: nothing is near */
const struct verb *verb_at(size_t i);                /* NULL: past the end */

/* verb_status.c */
int verb_status(struct cli *c, struct err *err);
int verb_sources(struct cli *c, struct err *err);
int verb_doctor(struct cli *c, struct err *err);
/* verb_items.c */
int verb_items(struct cli *c, struct err *err);
int verb_show(struct cli *c, struct err *err);
int verb_cat(struct cli *c, struct err *err);
/* verb_decide.c */
int verb_accept(struct cli *c, struct err *err);
int verb_reject(struct cli *c, struct err *err);
int verb_label(struct cli *c, struct err *err);
/* verb_failures.c */
int verb_failures(struct cli *c, struct err *err);
int verb_retry(struct cli *c, struct err *err);
/* verb_work.c */
int verb_sync(struct cli *c, struct err *err);
int verb_wait(struct cli *c, struct err *err);
int verb_relabel(struct cli *c, struct err *err);
int verb_pause(struct cli *c, struct err *err);
int verb_resume(struct cli *c, struct err *err);
/* verb_import.c */
int verb_import(struct cli *c, struct err *err);
/* verb_export.c */
int verb_export(struct cli *c, struct err *err);
int verb_verify(struct cli *c, struct err *err);
/* verb_local.c */
int verb_check_config(struct cli *c, struct err *err);
int verb_rebuild_index(struct cli *c, struct err *err);
int verb_help(struct cli *c, struct err *err);
int verb_version(struct cli *c, struct err *err);

#endif
