/* sniff.h - recognises a manifest's format by the beginning of its text. */
#ifndef INLET_MANIFEST_SNIFF_H
#define INLET_MANIFEST_SNIFF_H

#include "daemon/manifest/format.h"

/* Looks at what the window holds from `at`, reading on to at most MANIFEST_HEAD_MAX bytes; `at` stays. Returns the
 * format, or -1: ERR_REJECT, it is none that is known. */
int sniff(struct manifest *m, struct err *err);

#endif
