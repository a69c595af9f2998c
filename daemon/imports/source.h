/* source.h - the lists of a source of manifests are imported by the daemon itself.
 *
 * The connector finds and reads a list (list.h) like any other object; its bytes become no item. They are read here as `inlet import`
 * reads them (daemon/sender/sender.h). A path in a row of a bucket's list names a key beside the list. */
#ifndef INLET_IMPORTS_SOURCE_H
#define INLET_IMPORTS_SOURCE_H

#include "config/config.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <errno.h>

struct imports;

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

#endif
