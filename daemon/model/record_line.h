/* record_line.h - what the files that write and read lines of the log share: members, and the kinds of imports. */
#ifndef INLET_MODEL_RECORD_LINE_H
#define INLET_MODEL_RECORD_LINE_H

#include "daemon/model/reader.h"
#include "daemon/model/record.h"

/* What a decoded record's slices point into. */
struct record_mem {
	struct reader reader;
	struct score *scores;
};

/* A value of an enum by its name. They start at 1: 0 is "unknown" when read and a bug when written. */
#define COUNT(names) (sizeof(names) / sizeof((names)[0]))
void line_put_name(struct json *j, const char *member, const char *const *names, size_t count, unsigned int value);
unsigned int line_get_name(struct reader *r, const char *member, const char *const *names, size_t count);
/* Where an object is: the members in the order of every struct that has them. */
void line_put_place(struct json *j, struct slice source, enum layout layout, struct slice key);
void line_get_place(struct reader *r, struct slice *source, enum layout *layout, struct slice *key);
/* Numbers of items, objects and annotations start at 1: a 0 is one that nobody has given yet. */
void line_put_number(struct json *j, const char *name, uint64_t n);
uint64_t line_get_number(struct reader *r, const char *name);
void line_put_text(struct json *j, const char *name, struct slice s);        /* absent when empty */
/* A JSON object as somebody else wrote it; absent when empty. */
void line_put_object(struct json *j, const char *name, struct slice object);

/* record_failure.c */
void line_put_failure(struct json *j, const struct record *r);
void line_get_failure(struct record_mem *m, struct record *ret);
/* record_import.c */
void line_put_import(struct json *j, const struct record *r);
void line_get_import(struct record_mem *m, struct record *ret);
void line_put_row(struct json *j, const struct record *r);
void line_get_row(struct record_mem *m, struct record *ret);
void line_put_row_gone(struct json *j, const struct record *r);
void line_get_row_gone(struct record_mem *m, struct record *ret);
void line_put_mended(struct json *j, const struct record *r);
void line_get_mended(struct record_mem *m, struct record *ret);

#endif
