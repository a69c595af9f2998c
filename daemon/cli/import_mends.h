/* import_mends.h - which row of an import that failed a row of a list of mended rows stands for. Such a list has the failed rows as
 * `inlet failures --format csv` gives them, mended, some of them perhaps left out. Seen only by daemon/cli/import_*.c and
 * verb_import.c. One thread.
 *
 * A row stands for the failed row that says the same in all its values; else for one of the same identity; and where the list has as
 * many rows as have failed, those that neither finds stand for each other by their order. A row that is left over stands for none. */
#ifndef INLET_CLI_IMPORT_MENDS_H
#define INLET_CLI_IMPORT_MENDS_H

#include "daemon/manifest/manifest.h"

struct client;

#define MENDS_MAX 1000000U /* rows of such a list, and failed rows that are looked at */

struct mends {
	struct mend_row *rows;   /* of the list, in its order */
	size_t count, cap;
	struct mend_row *failed; /* of the import, in the order of `inlet failures` */
	size_t failed_count, failed_cap;
	char *column;            /* whose value is the identity of a row; NULL: none is */
	uint64_t last;           /* no row of the import stands in a line above */
};

/* Once for each row that m gives, failed ones included; row NULL: it failed. ERR_REJECT: there are more than MENDS_MAX. */
int mends_add(struct mends *s, const struct manifest *m, const struct manifest_row *row, struct err *err);
/* Behind the last: asks for what failed of the import, and finds which is which. */
int mends_match(struct mends *s, struct client *c, uint64_t import, uint64_t last, struct err *err);
/* The place that row n (from 0) has in its import. True: it stands for a row that failed; false: a line of its own, behind all. */
bool mends_place(const struct mends *s, size_t n, struct manifest_place *at);
void mends_done(struct mends *s);

#endif
