/* worker_colour.h - any image that libvips has loaded, as 8-bit sRGB with or without alpha. */
#ifndef INLET_DECODE_WORKER_COLOUR_H
#define INLET_DECODE_WORKER_COLOUR_H

#include "daemon/decode/worker_vips.h"

#include <stdbool.h>

bool colour_is_srgb(VipsImage *image); /* its samples are sRGB or grey as they are: 8 bits, no other profile */
bool colour_has_profile(VipsImage *image);
/* A lazy image of 3 or 4 bands; the caller unrefs it. A profile that cannot be used is ignored, as browsers do. NULL:
 * no way from these bands to sRGB (libvips' error buffer says more). */
VipsImage *colour_to_srgb(VipsImage *image);

#endif
