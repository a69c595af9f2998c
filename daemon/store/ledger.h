/* ledger.h - where the row of a key is in TABLE_OBJECT: paths, nodes, stored names. Read side; pending.h creates.
 *
 * A *place* is what a listing shows at once: a directory of a tree, all of a flat source. It has a node; node 0 is the
 * source's root. Below a place's node lie its rows, by stored name:
 *
 *   a file, a bucket key       its bytes, at most NAME_PART of them
 *   a directory of a tree      its bytes and \0: right behind a file of that name, which may be there, gone
 *   anything longer            its first NAME_PART bytes and \xff: a *continued* row, whose node holds the
 *                              rest of the name by the same rules
 *
 * so that the byte order of stored names is the byte order of names. Nodes are never given again and never change
 * parent: a directory that goes and returns keeps its node. */
#ifndef INLET_STORE_LEDGER_H
#define INLET_STORE_LEDGER_H

#include "daemon/base/buf.h"
#include "daemon/store/rows.h"
#include "daemon/store/view.h"

#define NAME_PART 480
#define CONTINUED_MARK "\xff"
#define DIRECTORY_MARK "\0"

struct slice ledger_suffix(bool directory);   /* DIRECTORY_MARK or nothing */
/* "a/b/c" -> place "a/b", name "c"; flat: place "", name all of it. */
void ledger_split(enum layout layout, struct slice key, struct slice *ret_place, struct slice *ret_name);
/* Key of the row for name below a place's node. 1; 0: a node that its long name leads through is not there; -1. */
int ledger_slot(struct kv_txn *txn, uint32_t source, uint64_t node, struct slice name, bool directory, struct key *ret);
/* The node of a directory of a tree ("" the root: node 0), and whether the directory is gone. 1, 0, -1. */
int ledger_node(struct kv_txn *txn, uint32_t source, struct slice path, uint64_t *ret_node, bool *ret_gone);
/* The row at a key. Where a file and a directory have been of that name: the one that is not gone, else the file. */
int ledger_find(struct kv_txn *txn, uint32_t source, enum layout layout, struct slice key, struct key *ret_key,
	struct object_row *ret);
/* Whole key of the object that an object key stands for, appended. 0, -1. */
int ledger_path(struct kv_txn *txn, struct slice object_key, struct buf *to);
/* The row as readers see it; what was last tried of an object that failed is its failure row's. 0, -1. */
int ledger_show(struct kv_txn *txn, struct slice name, const struct object_row *row, struct ledger_row *ret);

#endif
