/* formats.h - the formats there are, one file each, and how those with a header are told apart. */
#ifndef INLET_MANIFEST_FORMATS_H
#define INLET_MANIFEST_FORMATS_H

#include "daemon/base/cleanup.h"
#include "daemon/manifest/format.h"

extern const struct format format_csv, format_clarifai, format_urls;

bool clarifai_is_header(const struct slice *names, size_t count);

#endif
