/* folder_names.h - names that are never objects: what programs write to while a file is not finished yet, and the litter of
 * file systems and synchronisers. A filter only, never a proof that what passes is finished. */
#ifndef INLET_CONNECTORS_FOLDER_NAMES_H
#define INLET_CONNECTORS_FOLDER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* name: len bytes and a NUL. ignore: further fnmatch(3) patterns, NULL-terminated; may be NULL. Any thread. */
bool names_ignored(const char *name, size_t len, bool directory, char *const *ignore);

#endif
