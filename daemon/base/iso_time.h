/* iso_time.h - times as XML and JSON have them (ISO 8601, RFC 3339). Pure functions, any thread. */
#ifndef INLET_BASE_ISO_TIME_H
#define INLET_BASE_ISO_TIME_H

#include "daemon/base/slice.h"

#include <stdint.h>

/* "2026-11-25T08:50:50Z", also with an offset for the Z, or with a fraction, which is passed over: *ret_ms since the epoch, whole
 * seconds. -1: not such a time. */
int iso_time_parse(struct slice text, int64_t *ret_ms);

#endif
