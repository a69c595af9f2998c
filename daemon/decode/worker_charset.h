/* worker_charset.h - which charset a text is in, and its text as UTF-8. Strict: nothing is replaced. */
#ifndef INLET_DECODE_WORKER_CHARSET_H
#define INLET_DECODE_WORKER_CHARSET_H

#include "daemon/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct charset {
	const char *name; /* "utf-8", "windows-1252", ... */
	size_t bom_bytes; /* a byte order mark at the start that is no text; 0: none */
	void *converter;  /* iconv_t; NULL: UTF-8 as it is */
};

/* Converters load modules from files when they are opened: before the sandbox. */
int charset_init(struct err *err);
/* A byte order mark decides; else UTF-8 that is whole is UTF-8; else uchardet's guess, if all of the text converts by
 * it to characters that texts are made of. ERR_REJECT with the byte and offset where UTF-8 breaks. */
int charset_detect(const uint8_t *bytes, size_t size, struct charset *ret, struct err *err);
/* Gives the text, without its mark, to emit in pieces of whole characters. Ends with emit's failure (< 0), or with
 * ERR_REJECT at a byte that does not convert. */
typedef int text_fn(void *arg, const char *utf8, size_t n, struct err *err);
int charset_convert(const struct charset *c, const uint8_t *bytes, size_t size, text_fn *emit, void *arg,
		    struct err *err);

#endif
