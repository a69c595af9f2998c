/* leave.h - lists of a source that are gone: what they brought stays, and what of them failed asks nobody any more. */
#ifndef INLET_IMPORTS_LEAVE_H
#define INLET_IMPORTS_LEAVE_H

#include "daemon/base/err.h"

struct imports;
struct source_config;

/* Ends the failures of all lists of the source that the ledger knows as gone: rows that failed, and objects that never came. Does
 * nothing twice, so that it may be cut short anywhere. The source's own thread; blocks until all is durable. */
int imports_leave(struct imports *imports, const struct source_config *c, struct err *err);

#endif
