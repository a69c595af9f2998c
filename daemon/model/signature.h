/* signature.h - a file extension from the first bytes, for member names in segments only: what a file really is, libmagic
 * in the sandboxed worker decides. */
#ifndef INLET_MODEL_SIGNATURE_H
#define INLET_MODEL_SIGNATURE_H

#include <stddef.h>

/* "jpg", "png", "gif", "webp", "tif", "bmp", "mp4", "wav", "flac", "ogg", "mp3", "pdf", "zip", "gz", "json", "xml", "txt", …;
 * "bin" when unknown. head is the first n bytes (n may be 0). Never longer than 8 characters. */
const char *signature_extension(const void *head, size_t n);

#endif
