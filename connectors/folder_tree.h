/* folder_tree.h - what is known of a watched folder between passes: a node for each directory, found by name below its parent
 * or by inotify watch, and the set of directories that are due for a look.
 *
 * A node is about 130 bytes and its name. Paths are not kept: a parent pointer makes them, so a directory may change its place.
 * Several nodes may hold one watch (a directory moved and seen at its new place before the event came, a bind mount): the kernel
 * gives one watch an inode. When the last holder goes, a *dead* node stands in the watch table until the kernel has acknowledged
 * the removal: events that are still queued must not look like events of an unknown watch.
 *
 * Plain data: no locks, no system calls but those of the caller's unwatch function. Callers hold the lock of folder_watch.c. */
#ifndef INLET_CONNECTORS_FOLDER_TREE_H
#define INLET_CONNECTORS_FOLDER_TREE_H

#include "daemon/base/buf.h"
#include "daemon/base/hash.h"
#include "daemon/base/slice.h"

#include <stdint.h>
#include <sys/types.h>

#define NODE_UNWATCHED (-1)

struct node {
	struct node *parent;            /* NULL: the root, or dead */
	struct node *children, *next;
	struct node **link;             /* what points here: parent->children or the elder sibling's next */
	struct node *name_next;         /* same bucket of the name table */
	struct node *wd_next;           /* same bucket of the watch table */
	struct node *due_next, **due_link; /* the due set; due_link NULL: not in it */
	uint64_t due_ns;                /* clock_mono_ns() at which to look again */
	uint64_t rest_until_ns;         /* not before this: looking cost a lot of time */
	dev_t device;                   /* 0: not looked at yet */
	int wd;                         /* NODE_UNWATCHED: polled */
	uint32_t hash;
	uint32_t stamp;                 /* the look at the parent that saw it last */
	bool mount;                     /* another file system than the parent's */
	bool remote;                    /* unwatched because its file system sends no events */
	bool denied;                    /* unwatched because it may not be listed: nothing is known below it */
	bool dead;                      /* stands for a watch that is being removed; in the watch table only */
	uint8_t name_len;
	char name[];                    /* and a NUL */
};
struct tree {
	struct node *root;              /* NULL: nothing looked at yet */
	struct node **names, **wds;     /* 2^bits buckets each */
	unsigned bits;
	uint64_t nodes, watched, remote, denied; /* the others are parts of nodes; nodes excludes the dead */
	struct node *due;
	uint64_t due_count;
	uint64_t first_due_ns;          /* no node is due earlier; UINT64_MAX: none */
	struct hash_key key;            /* names are an outsider's: no two trees hash alike */
};
typedef void unwatch_fn(void *arg, int wd);

void tree_init(struct tree *t);
void tree_done(struct tree *t);
struct node *tree_child(const struct tree *t, const struct node *parent, struct slice name); /* NULL: not known */
struct node *tree_find(const struct tree *t, struct slice path);                             /* "" is the root */
/* The directory at path, made if its parent is known; NULL: it is not. Names are 1 to 255 bytes. */
struct node *tree_add(struct tree *t, struct slice path);
/* Forgets n and all below. unwatch is called for each watch that no other node holds. */
void tree_remove(struct tree *t, struct node *n, unwatch_fn *unwatch, void *arg);
void tree_bind(struct tree *t, struct node *n, int wd);                          /* n is unwatched */
void tree_release(struct tree *t, struct node *n, unwatch_fn *unwatch, void *arg); /* n gives its watch up, if it has one */
void tree_bury(struct tree *t, int wd);                   /* nobody holds wd and its removal has been asked for */
void tree_lost(struct tree *t, int wd, uint64_t due_ns);  /* the kernel has removed wd: who held it is due for a look */
void tree_forget_dead(struct tree *t);
struct node *tree_holder(const struct tree *t, int wd, const struct node *after); /* the next holder, the dead among them */
void tree_due(struct tree *t, struct node *n, uint64_t due_ns); /* at due_ns, or earlier if it was, but not before its rest */
void tree_clean(struct tree *t, struct node *n);
void tree_first_due(struct tree *t);                      /* makes first_due_ns exact: O(due); it may be too early before */
void tree_path(const struct node *n, struct buf *to);     /* appended, no terminator */

#endif
