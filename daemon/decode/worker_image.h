/* worker_image.h - images: decoded once, upright, sRGB, 8 bits; everything else is derived from those pixels. */
#ifndef INLET_DECODE_WORKER_IMAGE_H
#define INLET_DECODE_WORKER_IMAGE_H

#include "daemon/decode/worker.h"

#include <stdbool.h>

int image_init(struct err *err);	    /* before the sandbox; starts no thread */
bool image_decodes(const char *media_type); /* there is a loader for it that is fit for untrusted data */
/* Sections FORM, FACTS, THUMBNAIL, INPUTS; width, height, canonical. ERR_REJECT with the reason, the limit's name or
 * the byte where the data end. */
int image_decode(struct task *t, const char *media_type, struct err *err);

#endif
