/* worker_vips.h - libvips, and scope-bound release of its images. */
#ifndef INLET_DECODE_WORKER_VIPS_H
#define INLET_DECODE_WORKER_VIPS_H

#include "daemon/base/cleanup.h"

#include <vips/vips.h>

static inline void image_unrefp(VipsImage **image)
{
	g_clear_object(image);
}
/* Not IMAGE: vips 8.16 defines that itself. */
#define SCOPED_IMAGE CLEANUP(image_unrefp) VipsImage

#endif
