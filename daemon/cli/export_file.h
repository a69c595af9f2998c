/* export_file.h - an export as a file: written beside its final name and renamed when it is whole, so that nobody ever reads half an
 * export. One thread. */
#ifndef INLET_CLI_EXPORT_FILE_H
#define INLET_CLI_EXPORT_FILE_H

#include "daemon/base/err.h"

#include <stdint.h>

struct client;

/* name: a file, which is replaced, or not there yet; else ERR_REJECT. Written as NAME.part, which nothing but a crash leaves behind; two
 * at once are refused. *ret_bytes: its size. */
int export_file(struct client *c, const char *url, const char *name, uint64_t *ret_bytes, struct err *err);

#endif
