/* import_sidecar.h - NAME.json beside NAME in a folder that is imported: labels and metadata of that file
 * (daemon/manifest/sidecar.h). One thread. */
#ifndef INLET_CLI_IMPORT_SIDECAR_H
#define INLET_CLI_IMPORT_SIDECAR_H

#include "daemon/cli/import_walk.h"
#include "daemon/manifest/sidecar.h"

struct sidecar {
	struct buf path;
	int fd;
	struct manifest *m;
	struct manifest_row row;  /* lives until sidecar_close() */
};

bool sidecar_is(const struct walk_entry *e); /* of a file that is there */
/* Of a file: 1: *ret is open; 0: it has none; -1: it has one that cannot be used, *why and *ret_cure say more, ret->path is its
 * path. sidecar_close() in any case. */
int sidecar_open(const struct import_files *f, const struct walk_entry *e, struct sidecar *ret, struct buf *ret_cure, struct err *why);
void sidecar_close(struct sidecar *s);

#endif
