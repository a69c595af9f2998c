/* import_run.h - one import, of a manifest or of a folder, with the store's owner: its beginning, its end and what is said of
 * it. Seen only by daemon/cli/import_*.c and verb_import.c. */
#ifndef INLET_CLI_IMPORT_RUN_H
#define INLET_CLI_IMPORT_RUN_H

#include "daemon/cli/verbs.h"
#include "daemon/sender/sender.h"

struct import_run {
	struct cli *cli;
	char *file;                   /* owned: resolved path of the manifest or folder; "" standard input */
	char *name;                   /* owned: of the import */
	struct import_files files;
	struct import_sender sender;
	bool folder;
	char *attributes;             /* owned: of a folder, a JSON object: how it is read; NULL: not said */
	bool rows_alone;              /* failed rows make a list of their own, for --into */
	bool mends;                   /* it brings rows of an import that failed */
	uint64_t number;              /* of the import */
	uint64_t rows;                /* or files, failed ones included */
	uint64_t chunks;              /* of a folder */
	uint64_t sidecars;            /* in it: they are in no other count */
	uint64_t skipped;             /* entries of a folder that are no files of it */
	uint64_t start_ns, shown_ns;
};

void run_done(struct import_run *r);
/* root: below which its files are. */
int run_open(struct import_run *r, const char *root, struct err *err);
/* Of a folder that does not say how it is read, attributes become those of the last pass. */
int run_begin(struct import_run *r, const char *format, struct slice header, struct err *err);
/* Begins to mend failed rows of an import, by number or name: run_begin() for a run whose name and file are those of that import.
 * *ret_format: of its list, the caller's; *ret_last: no row of it stands in a line above. */
int run_mend(struct import_run *r, const char *into, char **ret_format, uint64_t *ret_last, struct err *err);
/* Tells the owner that all is in, waits for the stages unless --no-wait, and prints how it ended. EXIT_*, -1. attributes: of a
 * manifest (manifest_attributes()). */
int run_end(struct import_run *r, struct slice attributes, struct err *err);
/* Is it time to show how it goes? */
bool run_shows(struct import_run *r);
/* ", 3 failed | 412 rows/s | 1.2 GiB"; percent of the work that is done and what is left of it, where done and all say so. */
void run_progress(const struct import_run *r, const char *what, uint64_t done, uint64_t all, struct buf *to);
uint64_t run_left_s(const struct import_run *r, uint64_t done, uint64_t all);

#endif
