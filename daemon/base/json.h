/* json.h - writes JSON into a buf, deterministically: members in the order written, no spaces, shortest floats that
 * read back the same. Reading is jansson's work. One thread at a time. */
#ifndef INLET_BASE_JSON_H
#define INLET_BASE_JSON_H

#include "daemon/base/buf.h"

#include <stdbool.h>

struct json {
	struct buf *to;   /* borrowed */
	bool comma;       /* the next value in this container needs a comma */
};

void json_open(struct json *j, const char *name, char bracket);   /* '{' or '['; name NULL inside arrays and at the top */
void json_close(struct json *j, char bracket);                    /* '}' or ']' */
void json_str(struct json *j, const char *name, struct slice s);  /* s must be UTF-8: json_key() for what may not be */
void json_u64(struct json *j, const char *name, uint64_t n);
void json_i64(struct json *j, const char *name, int64_t n);
void json_bool(struct json *j, const char *name, bool b);
void json_float(struct json *j, const char *name, float f);       /* finite */
void json_double(struct json *j, const char *name, double d);     /* finite */
double json_float_value(float f);                                 /* what a reader makes of json_float()'s text */
void json_nil(struct json *j, const char *name);                  /* null; jansson has taken json_null() */
void json_hex(struct json *j, const char *name, const uint8_t *bytes, size_t n);
void json_raw(struct json *j, const char *name, struct slice json_text); /* already JSON */
/* JSON of somebody else's, from there to the end, in one line: a line break can only stand between tokens, where a blank means
 * the same. */
void json_one_line(struct buf *text, size_t from);
/* Bytes of any value: "name": "..." when they are UTF-8, else "name_base64": "...". */
void json_bytes(struct json *j, const char *name, struct slice bytes);

#endif
