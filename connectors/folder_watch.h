/* folder_watch.h - what may have changed below a folder: inotify watches, the directories that are due for a look, and whether
 * the whole folder is. Events are hints; only a look at a directory is knowledge.
 *
 * A directory is watched before it is read, so what happens while it is read is either read or announced. Wherever events may
 * have been lost (queue overflow, an event of an unknown watch) a full pass is asked for.
 *
 * Threads: the main loop calls watch_drain() and watch_next(); scan threads call the rest, several at once.
 * Lock order: adding (held over inotify_add_watch, which can stall in a huge directory), then lock (held for moments: the tree and
 * everything below it). The main loop never takes adding. */
#ifndef INLET_CONNECTORS_FOLDER_WATCH_H
#define INLET_CONNECTORS_FOLDER_WATCH_H

#include "connectors/connector.h"
#include "daemon/base/buf.h"

#include <sys/types.h>

struct watch;

struct watch_counts {
	uint64_t directories, watched;
	uint64_t starved;             /* directories polled because the kernel gives no more watches */
	uint64_t remote;              /* directories polled because their file system sends no events */
	uint64_t denied;              /* directories that may not be listed */
	uint64_t overflows, events;
};

/* settle_ns: how long after an event a file is looked at. Without inotify (the kernel gives no instance) watch_fd() is -1, every
 * directory counts as starved, and watch_problem() is the errno. */
struct watch *watch_new(uint64_t settle_ns);
void watch_free(struct watch *w);            /* NULL allowed */
int watch_fd(const struct watch *w);
int watch_problem(const struct watch *w);
void watch_drain(struct watch *w);           /* takes waiting events, does not block */
/* clock_mono_ns() at which a pass is due (UINT64_MAX: none); *ret_full: over the whole folder. */
uint64_t watch_next(struct watch *w, bool *ret_full);
void watch_counts(struct watch *w, struct watch_counts *ret);

/* A full pass by due_ns; earlier wishes stay. After a long pass it waits: lost events never make scanning the only work. */
void watch_want_full(struct watch *w, uint64_t due_ns);
/* Begins a pass. True: it must cover everything (all, or so much is due that this is cheaper); false: the places, each with a
 * NUL after it, are what is due now. Whatever is announced from here on counts for the next pass. */
bool watch_begin(struct watch *w, bool all, struct buf *places);
void watch_end(struct watch *w, bool full, uint64_t began_ns); /* of a pass that went through */
/* Watches the directory that holds the folder (the nearest that exists), so that its coming and going is noticed. */
void watch_anchor(struct watch *w, const char *root);
void watch_reset(struct watch *w);           /* the folder is another one: forget all directories */

/* Looking at one directory: enter before reading it, then leave, or gone when it is not there or cannot be read. */
struct watch_look {
	bool fresh;                  /* nothing is known below it: look at all of it */
	bool mount;                  /* another file system than its parent's */
	bool lost_mount;             /* a file system was mounted here at the last look and is not now */
};
/* how: whether its file system sends events; WATCH_POLL_ALL: the caller polls the whole folder by watch_want_full().
 * false: its parent is not known (any more), whose own look will bring it. */
enum watch_how { WATCH_EVENTS, WATCH_REMOTE, WATCH_POLL_ALL };
bool watch_enter(struct watch *w, struct slice path, int fd, dev_t device, enum watch_how how, struct watch_look *ret);
/* settles_in_ns: until the first of its files has settled; UINT64_MAX: none has to. spent_ns: what this look took. */
void watch_leave(struct watch *w, const struct page *page, enum watch_how how, uint64_t settles_in_ns, uint64_t spent_ns);
void watch_gone(struct watch *w, struct slice path, bool look_at_parent);
/* It may not be listed: not known, so that the next look at its parent tries it again, but counted. */
void watch_denied(struct watch *w, struct slice path);
bool watch_knows(struct watch *w, struct slice parent, struct slice name);

#endif
