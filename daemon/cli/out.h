/* out.h - standard output of the client: whole writes, one error, and whether colour is welcome. */
#ifndef INLET_CLI_OUT_H
#define INLET_CLI_OUT_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* -1 with sys EPIPE: the reader has gone (`inlet items | head`): stop quietly. arg is not used: it has the form of a
 * sink. */
int out_write(void *arg, struct slice text, struct err *err);
int out_printf(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int out_flush(struct err *err);

/* Standard output is a terminal, and neither NO_COLOR nor TERM=dumb asks for plain text. */
bool out_color(void);

/* Text for people: control characters and broken UTF-8 as \xNN, so that no file name drives a terminal; quotes stay. */
void out_plain(struct buf *to, struct slice s);

/* "1.2 GiB", "512 B". */
void out_bytes(struct buf *to, uint64_t bytes);

#endif
