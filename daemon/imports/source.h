/* source.h - the lists of a source of manifests are imported by the daemon itself.
 *
 * The connector finds and reads a list (list.h) like any other object; its bytes become no item. They are read here as `inlet import`
 * reads them (daemon/sender/sender.h). A path in a row of a bucket's list names a key beside the list. */
#ifndef INLET_IMPORTS_SOURCE_H
#define INLET_IMPORTS_SOURCE_H

#include "config/config.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/store/committer.h"

#include <errno.h>

struct imports;

/* How an import ended. */
struct import_source_end {
	uint64_t import;             /* its number; 0: a text file that holds no list, and is passed over */
	uint64_t rows, failed;
	uint64_t waiting;            /* of failed: folders of rows that are not there or cannot be read yet */
	uint64_t written, vanished;  /* import_counts */
};
#define IMPORT_NO_MANIFEST EBADMSG    /* err.sys, with ERR_REJECT: it is none, or its rest cannot be read; what was read before stands */
#define IMPORT_NO_NAME ENAMETOOLONG   /* with ERR_REJECT */
#define IMPORT_WAITS EAGAIN           /* with ERR_RETRY: all is imported but the folders that wait */
/* A manifest of a source, as it was read. */
struct import_source_list {
	const struct source_config *source;
	struct slice key;
	int fd;                      /* its bytes; the caller's */
	prepare_fn *known;           /* makes it known to the ledger, in the commit that completes its import */
	void *known_arg;
};
/* Imports it from its first byte; blocks until all is durable. ERR_REJECT as above; ERR_RETRY: stopping (ECANCELED), no
 * room (ENOSPC), ... Many threads, one a manifest. */
int import_source_run(struct imports *imports, const struct import_source_list *list, struct import_source_end *ret, struct err *err);

#endif
