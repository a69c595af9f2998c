/* absent.h - the keys that a pass did not see: 1 MiB in memory, the rest in an unlinked file. Locked inside. */
#ifndef INLET_STAGES_ABSENT_H
#define INLET_STAGES_ABSENT_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct absent;
struct absent *absent_new(const char *spool_dir);             /* the folder of the file: copied, needed once memory is full */
void absent_free(struct absent *a);                           /* NULL allowed */
int absent_add(struct absent *a, struct slice key, bool directory, struct err *err); /* copies. 0, -1 ERR_RETRY */
uint64_t absent_count(struct absent *a);
/* Calls fn for each, in the order noted, until it returns -1. Not while others add. 0, -1 */
typedef int absent_fn(void *arg, struct slice key, bool directory, struct err *err);
int absent_each(struct absent *a, absent_fn *fn, void *arg, struct err *err);

#endif
