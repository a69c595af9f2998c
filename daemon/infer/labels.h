/* labels.h - the names of a model's classes, in the order of its outputs. */
#ifndef INLET_INFER_LABELS_H
#define INLET_INFER_LABELS_H

#include "daemon/infer/card.h"

/* text: one label a line, LF or CRLF; name is for messages. Fills c->labels. ERR_REJECT: empty, too long, twice, not
 * UTF-8, or too many, with the line. */
int labels_parse(const char *name, struct slice text, struct card *c, struct err *err);
int labels_load(const char *file, struct card *c, struct err *err); /* ERR_RETRY: cannot be read */

#endif
