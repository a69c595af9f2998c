/* folder_read.h - reads files below a root, and vouches that what was read is one state of the file.
 *
 * Four things together: it has settled; its ctime is older than a clock tick when reading begins, so that a change from then on
 * must show; nobody holds it open for writing (a lease is asked for and given back at once: a held one would block a producer
 * for 45 s); its stat is the same before and after. The listing's look at it (obj's version and size) is the one before, if it is
 * not racy and the lease was to be had. Any thread but for reader_idle(). */
#ifndef INLET_CONNECTORS_FOLDER_READ_H
#define INLET_CONNECTORS_FOLDER_READ_H

#include "connectors/connector.h"

#include <stdatomic.h>

struct reader;

struct reader *reader_new(const char *path, uint64_t settle_ns, const atomic_bool *stopping); /* borrows both */
void reader_free(struct reader *r);                                                          /* NULL allowed */
int reader_fetch(struct reader *r, const struct object *obj, struct sink *into, struct object *ret_seen, struct err *err);
int reader_clone(struct reader *r, const struct object *obj, int to_fd, struct object *ret_seen, struct err *err);
/* The root is kept open between fetches, which would keep its file system from being unmounted. Called when the timer
 * reader_timer() rings (a descriptor; it rings while the root is open): closes it when nobody has fetched since the last call.
 * Does not block. */
int reader_timer(const struct reader *r);
void reader_idle(struct reader *r);
void reader_reset(struct reader *r); /* the path leads to another root now */

#endif
