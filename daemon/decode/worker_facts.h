/* worker_facts.h - what is worth knowing about an image besides its pixels, as the FACTS section. */
#ifndef INLET_DECODE_WORKER_FACTS_H
#define INLET_DECODE_WORKER_FACTS_H

#include "daemon/decode/worker.h"
#include "daemon/decode/worker_vips.h"

/* {"format":"jpeg","orientation":6,"frames":1,"bands":3,"interpretation":"srgb","icc":true,
 *  "exif":{"make":"…","model":"…","taken":"2024:01:31 12:00:00"}}; exif only where there is any. */
int facts_put(struct task *t, const char *format, VipsImage *header, struct err *err);

#endif
