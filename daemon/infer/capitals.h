/* capitals.h - texts written all in capitals. Any thread. */
#ifndef INLET_INFER_CAPITALS_H
#define INLET_INFER_CAPITALS_H

#include "daemon/base/buf.h"

#include <stdbool.h>

/* True where text (UTF-8) has capital letters and no small ones: `to` gets it in small letters. By Unicode's simple
 * case mapping, one character to one, in no language's special way. */
bool capitals_lower(struct slice text, struct buf *to);

#endif
