/* export_tree.h - a dataset as a folder, pictures and all: built beside its final name and renamed when it is whole, so that
 * whoever finds it finds all of it. One thread. */
#ifndef INLET_CLI_EXPORT_TREE_H
#define INLET_CLI_EXPORT_TREE_H

#include "daemon/base/err.h"

#include <stdint.h>

struct client;
struct export_tree_done {
	uint64_t pictures, bytes; /* in it; bytes of pictures */
	uint64_t missing;         /* pictures whose bytes could not be had: neither they nor their labels are in it */
	struct err why;           /* of the first of them */
	char *left;               /* owned: what the export left out (EXPORT_LEFT_OUT); NULL: nothing */
};

/* name: not there yet, or an empty folder; else ERR_REJECT. url: an export with files (daemon/export/export.h). Built in
 * NAME.part, which nothing but a crash leaves behind; what one left there is cleared away by the next, and two at once are refused. */
int export_tree(struct client *c, const char *url, const char *name, struct export_tree_done *ret, struct err *err);

#endif
