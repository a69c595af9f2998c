/* connector.h - what a source must provide. The engine (daemon/stages) owns retries, pacing, the ledger, state and threads;
 * a connector knows its protocol and nothing of the store.
 *
 * A listing comes in *pages*. A page is complete knowledge of one contiguous run of names under one place: for a folder
 * one directory's children; for a bucket the keys in (after, upto] under the one place "". So one merge serves both: what
 * the index has in a page's range and the page has not is gone. Gone is concluded only when the pass was complete and
 * sane.
 *
 * err is never NULL here: connectors read what they, or a sink, have put there. */
#ifndef INLET_CONNECTORS_CONNECTOR_H
#define INLET_CONNECTORS_CONNECTOR_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/model/record.h"

#include <errno.h>
#include <stdint.h>

#define VERSION_TOKEN_MAX 200 /* bytes of a version token */

/* One entry of a source, as a listing shows it or as it was when it was read. */
struct object {
	struct slice key;      /* whole key (folder: path below the root) */
	struct slice version;  /* opaque text token: equal means unchanged */
	uint64_t bytes;
	bool racy;             /* changed so recently that an equal token proves nothing: read again at the next pass */
};

enum entry_kind {
	ENTRY_FILE,      /* to be fetched when new or changed */
	ENTRY_DIRECTORY, /* tree only: will be a page of its own */
	ENTRY_SETTLING,  /* a file that may still be growing: not now; the connector announces news when it has settled */
	ENTRY_ARCHIVED,  /* flat only: lies in a storage class that must be restored before it can be read: noted, not fetched */
};
struct entry {
	struct slice name;     /* below the page's place */
	struct slice version;  /* files only */
	uint64_t bytes;
	uint64_t locality;     /* fetch order within a page that is kind to the disk (inode number) */
	enum entry_kind kind;
	bool racy;
};
struct page {
	struct slice place;        /* folder: path of the directory below the root, "" the root; bucket: "" */
	struct entry *entries;     /* in any order for a tree; in byte order for a flat listing. The consumer may reorder */
	size_t count;
	struct slice after, upto;  /* flat: the range; tree: unused, the page is the whole directory */
	bool open_ended;           /* flat: nothing follows upto */
	uint32_t skipped;          /* neither file nor directory, symlinks, ignored names, over the depth limit */
	bool mounted;              /* tree: another file system than its parent's is mounted on this place */
	const struct err *failed;  /* not NULL: this place could not be listed; entries is empty; conclude nothing below it */
};
/* Called once a page; the page lives for the call. May be called from several threads at once (a connector's own scan
 * threads). Blocks for backpressure. -1 stops discover(), which passes err on (ERR_RETRY while stopping). */
typedef int page_fn(void *arg, const struct page *page, struct err *err);

/* Where fetched bytes go. space() gives room for at least one byte at the place where they shall lie; wrote() takes n of
 * them, hashes them and may ask for more room. Both return -1/NULL with err when the sink cannot go on (disk full, over
 * limits.object): fetch() passes that on unchanged. One thread. */
struct sink;
struct sink_ops {
	uint8_t *(*space)(struct sink *s, size_t *ret_space, struct err *err);
	int (*wrote)(struct sink *s, size_t n, struct err *err);
};
struct sink {
	const struct sink_ops *ops;
};

/* What fetch() says through err.sys, beside the errno of a failed call (set after err_set(), whose text needs no strerror). */
#define FETCH_CHANGED ESTALE     /* ERR_RETRY: not the version that was listed any more (412): the next pass decides */
#define FETCH_ARCHIVED EREMOTE   /* ERR_REJECT: must be restored first: the object becomes OBJECT_ARCHIVED, no quarantine */
#define FETCH_THROTTLED EBUSY    /* ERR_RETRY: the server asks for less (SlowDown, 429, 503): the engine paces the source */
#define FETCH_UNFINISHED ETXTBSY /* ERR_RETRY: somebody is writing it: read again when he may have done */
#define FETCH_TROUBLE EREMOTEIO  /* ERR_RETRY: the server has trouble of its own (5xx): tried for as long as it takes */

enum discover_scope {
	DISCOVER_ALL,  /* a full pass over the source */
	DISCOVER_NEWS, /* only what events have marked and has become due */
};
/* How a pass ended when discover() returned 0. */
struct pass {
	bool complete;       /* every page of the scope was delivered and the root was the same before and after */
	bool full;           /* it covered the whole source: asked for, or because events were lost */
	uint64_t unreadable; /* places that failed */
	uint64_t settling;   /* entries passed over because they may still be growing */
};

enum source_health {
	SOURCE_LIVE,    /* events arrive */
	SOURCE_POLLED,  /* all of it is polled by choice or by file system */
	SOURCE_MIXED,   /* parts are polled: out of watches */
	SOURCE_OFFLINE, /* root missing, unmounted, denied */
};
struct source_status {
	enum source_health health;
	char message[512]; /* why, and what to do ("sysctl fs.inotify.max_user_watches=…"); "" when all is well */
	char root[256];    /* root identity as of the last look: file system and inode, or bucket and region; "" unknown */
	uint64_t watches;  /* inotify watches held */
	uint64_t denied;   /* places that may not be listed, as of the last look at each */
	uint64_t overflows, events; /* since open; an overflow led to a full pass */
};

/* One finding of check(): level "ok", "warning" or "error"; what was checked, what was found, and the cure ("" where ok). */
typedef void check_fn(void *arg, const char *level, const char *check, const char *found, const char *cure);

struct connector;
struct connector_ops {
	const char *scheme;          /* "folder", "s3": selects the connector in the configuration */
	enum layout layout;
	/* config is the parsed option struct of this scheme (config/config.h); borrowed, outlives the connector. root is
	 * the identity stored by the last complete pass ("" at first), had_objects whether the ledger holds any present:
	 * with them a connector can tell an emptied source from one that vanished. Opening never needs the source to be
	 * reachable. */
	int (*open)(const void *config, const char *root, bool had_objects, struct connector **ret, struct err *err);
	/* List. Blocks for as long as it takes; stop() from another thread ends it soon. ERR_RETRY: the source is offline or
	 * denied (status says why): conclude nothing. Not called by two threads at once. */
	int (*discover)(struct connector *c, enum discover_scope scope, page_fn *emit, void *arg, struct pass *ret_pass,
		struct err *err);
	/* Read one object whole into the sink. obj->version is what the listing showed; ret_seen (its slices valid until the
	 * same thread calls fetch() again) is what was really read: equal before and after, else ERR_RETRY "changed while it
	 * was read". ENOENT is ERR_RETRY with sys = ENOENT: the engine drops it, the next pass decides. Many threads.
	 * Buckets only: where obj->version is empty, what is there now is read, of whatever length; ret_seen tells both. */
	int (*fetch)(struct connector *c, const struct object *obj, struct sink *into, struct object *ret_seen,
		struct err *err);
	/* Optional (NULL: not offered): share the object's extents into the empty file to_fd (FICLONE) instead of copying.
	 * ERR_REJECT: this file system cannot. */
	int (*clone)(struct connector *c, const struct object *obj, int to_fd, struct object *ret_seen, struct err *err);
	/* A descriptor that is readable when pump() has something to take; -1: none, poll on the timer. */
	int (*events)(const struct connector *c);
	/* Take waiting events without blocking (main loop). *ret_due_ns: clock_mono_ns() at which discover(DISCOVER_NEWS) or,
	 * for a reconcile or poll, discover(DISCOVER_ALL) is next worth calling; UINT64_MAX: not until events come. */
	void (*pump)(struct connector *c, uint64_t *ret_due_ns, enum discover_scope *ret_scope);
	void (*status)(struct connector *c, struct source_status *ret); /* any thread */
	/* Optional: what `inlet doctor` tells of this source, looked at now with requests of its own (credentials and where they
	 * come from, region, clock, the right to list, one read). Blocks for seconds; any thread. Never tells a secret. */
	void (*check)(struct connector *c, check_fn *tell, void *arg);
	void (*stop)(struct connector *c);                              /* any thread; every running call returns soon */
	void (*close)(struct connector *c);                             /* NULL allowed; no call may be running */
};

extern const struct connector_ops folder_connector, gcs_connector, s3_connector;
const struct connector_ops *connector_find(const char *scheme); /* NULL: unknown */

#endif
