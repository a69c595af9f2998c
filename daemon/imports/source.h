/* source.h - sources of manifests: which of a source's objects are manifests, and their import by the daemon itself.
 *
 * The connector finds and reads a manifest like any other object; its bytes become no item. They are read here as `inlet import`
 * reads them (daemon/sender/sender.h), as an import named "SOURCE/KEY". A path in a row is opened beneath the source's roots, with the
 * daemon's rights; in a bucket it names a key beside the manifest. */
#ifndef INLET_IMPORTS_SOURCE_H
#define INLET_IMPORTS_SOURCE_H

#include "config/config.h"
#include "daemon/imports/imports.h"
#include "daemon/store/view.h"

#include <errno.h>
#include <sys/stat.h>

/* Is the object of this key a manifest, by its name? Always for a source whose objects are items themselves. */
bool import_source_takes(const struct source_config *c, struct slice key);

/* How an import ended. */
struct import_source_end {
	uint64_t import;             /* its number; 0: a text file that holds no list, and is passed over */
	uint64_t rows, failed;
	uint64_t waiting;            /* of failed: their files are not there or cannot be read yet */
	uint64_t written, vanished;  /* import_counts */
};
#define IMPORT_NO_MANIFEST EBADMSG    /* err.sys, with ERR_REJECT: it is none, or its rest cannot be read; what was read before stands */
#define IMPORT_NO_NAME ENAMETOOLONG   /* with ERR_REJECT */
#define IMPORT_WAITS EAGAIN           /* with ERR_RETRY: all is imported but the rows that wait */
/* Imports the manifest in fd, from its first byte; blocks until all is durable. ERR_REJECT as above; ERR_RETRY: stopping (ECANCELED), no
 * room (ENOSPC), ... Many threads, one a manifest. */
int import_source_run(struct imports *imports, const struct source_config *c, struct slice key, int fd, struct import_source_end *ret,
	struct err *err);

/* A file that a row of one of its manifests names, opened as it was when the manifest was read. import: "SOURCE/KEY". ERR_REJECT,
 * ERR_RETRY as import_files_get(); *ret_cure says what would help. Any thread. */
int import_source_open(struct imports *imports, struct slice import, struct slice path, int *ret_fd, struct stat *ret_st,
	const char **ret_cure, struct err *err);

/* Over the manifests of a source as the index has them. */
struct import_source_sum {
	uint64_t present;            /* that were imported, texts passed over not among them */
	uint64_t rows, failed;
	uint64_t gone;               /* imports whose manifest is not there any more: what they brought stays */
};
int import_source_sum(struct view *v, const struct source_config *c, struct import_source_sum *ret, struct err *err);
/* The source of manifests whose import has this name ("SOURCE/KEY"); NULL: none. */
const struct source_config *import_source_of(const struct config *c, struct slice name);

#endif
