/* fields.h - members of the API's answers, for display: what is missing or of another type reads as empty or 0. */
#ifndef INLET_CLI_FIELDS_H
#define INLET_CLI_FIELDS_H

#include "daemon/base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct slice field(const json_t *object, const char *name);      /* a string; lives as long as object */
uint64_t field_u64(const json_t *object, const char *name);
/* Bytes that came as NAME or NAME_base64, appended. */
void field_bytes(const json_t *object, const char *name, struct buf *to);
/* Is NAME or NAME_base64 there, and not empty? */
bool field_has(const json_t *object, const char *name);
/* The same bytes as one printable line, no terminal escapes. */
void field_printable(const json_t *object, const char *name, struct buf *to);

#endif
