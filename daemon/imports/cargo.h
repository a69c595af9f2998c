/* cargo.h - rows gathered into one change, and what the committer makes of them. Seen only by daemon/imports.
 *
 * A cargo names each key once: the committer decides about a row by what the index says of its object, and a change sees
 * nothing of itself. */
#ifndef INLET_IMPORTS_CARGO_H
#define INLET_IMPORTS_CARGO_H

#include "daemon/imports/pass.h"

#define CARGO_ROWS_MAX 1000
#define CARGO_BYTES_MAX (4U << 20) /* of lines */

struct import_cargo;
struct import_cargo *cargo_new(struct imports *imports, struct import_pass *pass);
void cargo_free(struct import_cargo *c); /* one never submitted; NULL allowed */
struct change *cargo_change(struct import_cargo *c); /* where arrivals and their arena go */
/* Room for a row of this key? */
bool cargo_takes(const struct import_cargo *c, struct slice key);
/* Slices and the arrival are copied. */
struct cargo_row {
	struct slice key, version, body;
	struct slice origin;     /* not empty: its bytes are to be fetched */
	uint64_t line, frame;    /* line 0: of a file of a folder */
	bool stale;              /* they are, whatever is there of an earlier version */
	const struct arrival *arrival; /* its bytes come with it; NULL: they are known, or to be fetched */
};
void cargo_row(struct import_cargo *c, const struct cargo_row *r);
struct cargo_failure {
	struct slice reason, cure;
	struct slice row;        /* import_body.h */
	uint64_t line;           /* 0: of a file of a folder... */
	struct slice path;       /* ...this one */
};
void cargo_failure(struct import_cargo *c, const struct cargo_failure *f);
/* Takes c over, which lands at its pass (pass.h). frames: of the pass, up to its last. */
void cargo_submit(struct import_cargo *c, uint64_t frames);

#endif
