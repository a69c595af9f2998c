/* folder_version.h - the version token of a file: equal tokens mean unchanged bytes, unless the change is too recent.
 *
 * Token: "ino.size.mtime_ns.ctime_ns", the last left out where both times are one, as of most files; numbers to the base of 64
 * (0-9 A-Z _ a-z ~, in this order), because the index keeps a token for every file; times are nanoseconds since the epoch, two's
 * complement in 64 bits. Time stamps have the granularity of the kernel's clock tick or of the file
 * system (up to 2 s), so a file changed that recently may change again and keep its token: it is *racy*. Pure functions. */
#ifndef INLET_CONNECTORS_FOLDER_VERSION_H
#define INLET_CONNECTORS_FOLDER_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define VERSION_TEXT_MAX (4 * 11 + 3) /* bytes of a token; no NUL is written */

size_t version_format(const struct stat *st, char *ret_text);
uint64_t version_ctime_ns(const struct stat *st);
/* now_ns: clock_wall_ns() before st was taken. A time stamp in the future proves nothing either. */
bool version_racy(const struct stat *st, uint64_t now_ns);
/* Nanoseconds until the file counts as settled; 0: it has. A time stamp further in the future than settle_ns comes from a
 * clock that was set back: the file is old, whatever it says. */
uint64_t version_settles_in(const struct stat *st, uint64_t now_ns, uint64_t settle_ns);
bool version_same(const struct stat *a, const struct stat *b);

#endif
