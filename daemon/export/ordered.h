/* ordered.h - the entries of a list, put in the order of the manifests and rows that they came from; those of no manifest
 * follow in the order in which they came. They wait in an unlinked file. One thread. */
#ifndef INLET_EXPORT_ORDERED_H
#define INLET_EXPORT_ORDERED_H

#include "daemon/export/export.h"

struct ordered;
struct ordered *ordered_new(const char *dir);   /* of the file, which is made when it is needed */
void ordered_free(struct ordered *o);           /* NULL allowed */
int ordered_add(struct ordered *o, const struct item_full *entry, struct slice text, struct err *err);
/* After the last ordered_add(): appends about `bytes` of them. 1 call again, 0 these were the last, -1. */
int ordered_next(struct ordered *o, size_t bytes, struct buf *to, struct err *err);

#endif
