/* source.h - one configured source at run time: its connector, its state, and its thread.
 *
 * The main loop pumps events (source_pump) and wakes the thread when something is due; the thread runs passes (discover.h), which say
 * how they went. */
#ifndef INLET_STAGES_SOURCE_H
#define INLET_STAGES_SOURCE_H

#include "daemon/stages/internal.h"

struct source *source_open(struct pipeline *p, const struct source_config *c, struct err *err);
typedef void source_pass_fn(struct source *s, enum discover_scope scope);
int source_start(struct source *s, source_pass_fn *run, struct err *err); /* run(): one pass, in its thread */
void source_stop(struct source *s);
void source_join(struct source *s);                     /* after source_stop(): its thread has ended */
void source_close(struct source *s);                    /* joins; NULL allowed */

const char *source_name(const struct source *s);
const struct source_config *source_config(const struct source *s);
/* -1 ERR_RETRY: nothing may be concluded from it, whatever it lists; the text says why and what to do. Any thread. */
int source_check(const struct source *s, struct err *err);
const struct connector_ops *source_ops(const struct source *s);
struct connector *source_connector(const struct source *s);
struct pipeline *source_pipeline(const struct source *s);
struct source *source_find(struct pipeline *p, struct slice name); /* NULL: not configured */
struct pace *source_pace(const struct source *s);       /* of its requests; NULL: not paced, it is read from disks */
/* Reads an object at that pace: as connector_ops.fetch(). Any thread. */
int source_read(struct source *s, const struct object *o, struct sink *into, struct object *ret_seen, struct err *err);
unsigned source_threads(const struct source *s);        /* that it may keep busy; 0: it shares those of the folders */

int source_fd(const struct source *s);                  /* main loop: events, -1 none */
uint64_t source_pump(struct source *s);                 /* main loop: take events, wake the thread; next call is due at */
/* A full pass now. accept: a set of enum sync_accept (pipeline.h). */
void source_sync(struct source *s, unsigned accept);
/* Something changed while it was read: another pass soon. False: that has happened too often since the last one on time. */
bool source_again(struct source *s);
bool source_idle(struct source *s, bool once);          /* no pass runs or is asked for; once: nor is anything settling */
void source_pause(struct source *s, bool pause);
bool source_paused(const struct source *s);
void source_describe(struct source *s, struct source_view *ret);
bool source_offline(struct source *s);                  /* or held: too much of it went at once */
uint64_t source_unsettled(struct source *s);            /* entries passed over as still growing, places unreadable */

/* What a pass says; its thread only. */
bool source_had_objects(const struct source *s);        /* at the start, and no full pass has ended since: place and root may be others now */
bool source_switched(const struct source *s);           /* `sidecars` was, and not all objects have been looked at for that: discover.c says so */
void source_set_switched(struct source *s, bool switched);
bool source_take_acceptance(struct source *s);          /* did a person say that whatever is gone may be? Once */
/* Writes how it ended to the store; message NULL: what the connector says. full: it covered all, and the place is known from now on. */
int source_remember(struct source *s, bool full, const char *state, const char *message, struct err *err);
void source_settled(struct source *s);                  /* its objects are those of where it is now */
void source_went_offline(struct source *s, const struct err *err);
/* Too much went at once to be believed: new and changed objects were taken, nothing is concluded from absence. */
void source_was_held(struct source *s, const char *why);
/* unreadable: places; unread says why the first of them is. */
void source_went_well(struct source *s, const struct pass *pass, uint64_t unreadable, const char *unread);

#endif
