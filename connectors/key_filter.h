/* key_filter.h - which keys of a bucket count: globs over the key after the prefix. Pure functions, any bytes.
 *
 * '*' matches any run of bytes, '/' too, '?' any one byte; everything else is itself: there is no escape and there are no
 * classes, so that a glob means the same in every bucket. exclude wins over include; no include means all. */
#ifndef INLET_CONNECTORS_KEY_FILTER_H
#define INLET_CONNECTORS_KEY_FILTER_H

#include "daemon/base/slice.h"

/* The whole text against the whole glob; at most len(glob) * len(text) steps. */
bool key_glob(const char *glob, struct slice text);
/* Both lists end with NULL; NULL itself is an empty list. */
bool key_filter(char *const *include, char *const *exclude, struct slice rest);

#endif
