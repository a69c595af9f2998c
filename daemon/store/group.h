/* group.h - the changes of one commit: applied to one transaction, encoded into one batch, appended to one segment.
 *
 * begin, take any number of changes, then commit or undo. The committer's thread. */
#ifndef INLET_STORE_GROUP_H
#define INLET_STORE_GROUP_H

#include "daemon/store/appender.h"
#include "daemon/store/batch.h"
#include "daemon/store/change.h"
#include "daemon/store/parts.h"

struct group {
	struct store *store;      /* borrowed, as log and batch */
	struct appender *log;
	struct batch *batch;
	struct kv_txn *txn;
	struct view *now;         /* over txn; NULL until it is needed */
	uint64_t start;           /* the log's end before this group */
	uint64_t revision;        /* that its batch will have */
	size_t records;           /* applied */
};

int group_begin(struct group *g, struct store *s, struct appender *log, struct batch *b, const struct mark *last,
	struct err *err);
/* Applies all of c, or nothing of it and fills c->refused. -1: the group as a whole cannot be committed. */
int group_take(struct group *g, struct change *c, struct err *err);
/* Durable in the log, then in the index; *mark moves on when there was anything to log. */
int group_commit(struct group *g, struct mark *mark, struct err *err);
void group_abort(struct group *g);                     /* the index's half: nothing of the group stays */
int group_undo(struct group *g, struct err *err);      /* the log's half: cut back to where the group began */

#endif
