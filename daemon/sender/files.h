/* files.h - the files that a manifest names: opened with the rights of whoever reads the manifest, and only beneath
 * its root. A manifest is somebody else's text. One thread. */
#ifndef INLET_SENDER_FILES_H
#define INLET_SENDER_FILES_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <errno.h>
#include <sys/stat.h>

struct import_files {
	int root;            /* directory; -1 closed */
	char *root_path;     /* resolved */
	char *alias;         /* another name of the root, by way of links: absolute paths may begin with it; NULL */
	char *store_path;    /* resolved state_dir: nothing in it is ever opened */
	bool holds_store;    /* it lies beneath the root, or beneath a further one: each file is asked where it is */
	char *start;         /* relative paths are looked for here first, below the root; NULL: only at the root */
	struct import_files *next; /* a further root; NULL */
	const char *beneath; /* the cure for what lies outside */
};
#define FILES_OWN_STORE EBUSY /* err.sys, with ERR_REJECT: it is part of Inlet's own store */

/* root: the directory that paths are relative to and must stay beneath. ERR_REJECT: there is no such directory, or it
 * is part of the store. */
int import_files_open(const char *root, const char *state_dir, struct import_files *ret, struct err *err);
/* Absolute paths of rows may name the root so, too, if it is the root. A relative folder is one of $PWD. */
void import_files_alias(struct import_files *f, const char *folder);
/* Relative paths begin in folder, the manifest's own, where that lies beneath the root; then at the root. */
void import_files_start(struct import_files *f, const char *folder);
/* Several roots, NULL-terminated, at least one: a file may lie beneath any of them, and relative paths are looked for in this order. Where
 * folder, the manifest's own, lies beneath a root, they begin there first. */
int import_files_open_all(char *const *roots, const char *folder, const char *state_dir, struct import_files *ret, struct err *err);
void import_files_close(struct import_files *f);

/* A regular file: its descriptor, which the caller closes, and what it was then. path: relative to the root, or absolute and
 * beneath it. ERR_REJECT: it must not be read, or is no file (sys EISDIR: but a folder); ERR_RETRY: it is not there or not
 * readable now, sys says which. *ret_cure says what would help. */
int import_files_get(const struct import_files *f, struct slice path, int *ret_fd, struct stat *ret_st, const char **ret_cure,
	struct err *err);
/* A folder in the same way; "" and "." are the root itself. */
int import_files_folder(const struct import_files *f, const char *path, int *ret_fd, const char **ret_cure, struct err *err);

#endif
