/* text.h - small text conversions: hex, base64, UTF-8 checks. Pure functions, any thread. */
#ifndef INLET_BASE_TEXT_H
#define INLET_BASE_TEXT_H

#include "daemon/base/buf.h"

#include <stdbool.h>

void text_hex(const uint8_t *bytes, size_t n, char *ret_hex);          /* 2n lower-case digits and NUL */
int text_unhex(struct slice hex, uint8_t *ret_bytes, size_t n);        /* exactly 2n digits; -1: not hex */
void text_base64(struct buf *to, struct slice bytes);                  /* RFC 4648 with padding */
int text_unbase64(struct buf *to, struct slice text);                  /* strict; -1: not base64 */
bool text_is_utf8(struct slice s);                                     /* well-formed (Unicode 15, table 3-7) */
void text_percent(struct buf *to, struct slice bytes);                 /* %XX for all but A-Z a-z 0-9 - . _ ~ (RFC 3986) */
int text_u64(struct slice digits, uint64_t *ret_n);                    /* decimal, no sign or blanks; -1: not a u64 */
/* A key as a person can read it in one line: control characters, quotes, backslash and broken UTF-8 as \xNN. */
void text_printable(struct buf *to, struct slice s);
/* The same, but of a long one only its end: for messages that are short and must keep what they say behind the key. */
void text_shown(struct buf *to, struct slice s);
/* The ending of a noun behind a number: "1 file", "2 files". */
static inline const char *text_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}
/* The option nearest to word (edit distance <= 2), or NULL: for "did you mean". options ends with NULL. */
const char *text_nearest(const char *word, const char *const *options);

#endif
