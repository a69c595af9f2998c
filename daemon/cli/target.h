/* target.h - where a verb may write: never into what is watched, for our own output would be taken in as new files, nor over the store. */
#ifndef INLET_CLI_TARGET_H
#define INLET_CLI_TARGET_H

#include "config/config.h"

/* name: a file or folder to be written; NULL: standard output, which the shell may have sent into a file. ERR_REJECT: it lies inside a
 * watched folder or the store, however the path is written; the text says which and what to do. */
int target_check(const struct config *c, const char *name, struct err *err);

#endif
