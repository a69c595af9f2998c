/* recheck.h - URLs that a pass over a manifest saw again are asked, in the background, whether they have changed: those of servers that
 * tell versions apart. Nothing of it is durable: the next pass asks again. */
#ifndef INLET_IMPORTS_RECHECK_H
#define INLET_IMPORTS_RECHECK_H

#include <stdint.h>

struct import_fetch;
struct imports;

struct recheck;
struct recheck *recheck_new(struct imports *imports, struct import_fetch *f); /* its thread starts with the first pass */
/* After recheck_stop() and import_fetch_stop() its thread ends. */
void recheck_stop(struct recheck *r);  /* NULL allowed, as below */
void recheck_close(struct recheck *r); /* joins */
void recheck_pass(struct recheck *r, uint64_t pass); /* by its number, while it has not ended. Any thread */

#endif
