/* list.h - the lists of a source of manifests: which of its objects are lists, what their imports are called, what their rows name.
 *
 * An import is called "SOURCE/KEY". A path in a row is opened beneath the source's roots, with the daemon's rights. Any thread. */
#ifndef INLET_IMPORTS_LIST_H
#define INLET_IMPORTS_LIST_H

#include "config/config.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <sys/stat.h>

struct view;

/* Is the object of this key a list, by its name? Always for a source whose objects are items themselves. */
bool import_list_is(const struct source_config *c, struct slice key);
bool import_list_is_text(struct slice key); /* by its name a text like any other, packed or not, that may be no list */
/* The source whose list's import has this name; NULL: none. */
const struct source_config *import_list_owner(const struct config *c, struct slice name);

/* A file that a row of the list names, opened as it was when the list was read. ERR_REJECT, ERR_RETRY as import_files_get(); *ret_cure
 * says what would help. */
int import_list_open(const struct config *config, struct slice import, struct slice path, int *ret_fd, struct stat *ret_st,
	const char **ret_cure, struct err *err);

/* Of an import's name: does the ledger know its list as gone? 1, 0, -1. */
int import_list_gone(struct view *v, const struct source_config *c, struct slice import, struct err *err);

/* Over the lists of a source as the index has them. */
struct import_list_sum {
	uint64_t present;            /* that were imported, texts passed over not among them */
	uint64_t rows, failed;
	uint64_t gone;               /* imports whose list is not there any more: what they brought stays */
};
int import_list_sum(struct view *v, const struct source_config *c, struct import_list_sum *ret, struct err *err);

#endif
