/* import_walk.h - every entry of a folder tree, once, one open folder at a time and with memory for the names of folders that
 * are still to be read. Nothing is followed out of the root, no folder is entered through a symbolic link. One thread. */
#ifndef INLET_CLI_IMPORT_WALK_H
#define INLET_CLI_IMPORT_WALK_H

#include "daemon/sender/files.h"

enum walk_kind {
	WALK_FILE,
	WALK_LINK,    /* a symbolic link, to whatever */
	WALK_FOLDER,  /* about to be read later */
	WALK_IGNORED, /* by its name: what programs write to before a file is finished, and litter (connectors/folder_names.h) */
	WALK_SPECIAL, /* a FIFO, a socket, a device */
	WALK_STORE,   /* Inlet's own store: not entered */
	WALK_FAILED,  /* a folder that cannot be read, or not to its end: why and cure say more */
};
struct walk_entry {
	enum walk_kind kind;
	struct slice path;       /* below the root; ends in NUL. The root itself: "." */
	int dir;                 /* that it is in, and its name there; -1, NULL: WALK_STORE and WALK_FAILED */
	const char *name;
	const struct err *why;   /* WALK_FAILED */
	const char *cure;
};
/* -1 ends the walk. */
typedef int walk_fn(void *arg, const struct walk_entry *e, struct err *err);
int import_walk(const struct import_files *f, walk_fn *fn, void *arg, struct err *err);

#endif
