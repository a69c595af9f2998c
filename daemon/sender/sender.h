/* sender.h - rows of a manifest on their way into the store: gathered into uploads (daemon/imports/import.h), files offered first and sent
 * where they are wanted. Used by whoever reads a manifest, with that one's rights: the client, and the daemon for its sources. One
 * thread. */
#ifndef INLET_SENDER_SENDER_H
#define INLET_SENDER_SENDER_H

#include "daemon/manifest/manifest.h"
#include "daemon/sender/files.h"
#include "daemon/sender/frames.h"

/* Hands one upload over: give() gives up to n of its bytes, 0 at the end, -1. *ret: the answer (import_finish), the caller's. give
 * NULL: waits until all is durable (import_settle). */
typedef ssize_t import_give_fn(void *from, void *p, size_t n, struct err *err);
typedef int import_hand_fn(void *arg, uint64_t pass, import_give_fn *give, void *from, json_t **ret, struct err *err);

struct import_sender {
	import_hand_fn *hand;
	void *arg;                   /* hand's */
	const struct import_files *files;
	uint64_t pass;
	uint64_t bytes_max;          /* of a file: a larger one fails here, and holds up nobody */
	bool later;                  /* files that cannot be had now are fetched when they can (daemon/imports/fetch.h): no failures of their rows */
	uint64_t failed;             /* rows and files that could not be used */
	uint64_t waiting;            /* of these, folders of rows that are not there or not readable now: they come in when the manifest is read again */
	uint64_t vanished;           /* files of a folder that went while it was read: no failures */
	uint64_t sent, sent_bytes;   /* files and texts that were not there yet */
	/* the rest is sender.c's */
	struct sender_frames frames; /* under way */
	struct sender_sent rows;
	bool direct;                 /* files go without being offered: all of the last ones were wanted */
	struct import_group *group;  /* under way */
};

/* { .hand, .arg, .files, .pass, .bytes_max } begins one. ERR_*: hand() failed; a row that cannot be used is no
 * error. m: whose row it is now. */
int sender_row(struct import_sender *s, struct manifest *m, const struct manifest_row *row, struct err *err);
/* A row that is to come stands for the failed one of this line of a pass that mends (import.h). */
int sender_told(struct import_sender *s, uint64_t line, struct err *err);
int sender_failure(struct import_sender *s, struct manifest *m, const struct manifest_failure *f, struct err *err);
/* A file of a folder: content and identity of the row are its path. Or one, or a folder, that cannot be read. */
int sender_file(struct import_sender *s, const struct manifest_row *row, struct err *err);
int sender_file_failed(struct import_sender *s, const struct manifest_row *row, const struct err *why, const char *cure,
	struct err *err);
/* All of it is on its way. sender_taken() counts the frames so far; those before sender_durable() are durable, as far as is known. */
int sender_push(struct import_sender *s, struct err *err);
uint64_t sender_taken(const struct import_sender *s);
uint64_t sender_durable(const struct import_sender *s);
int sender_flush(struct import_sender *s, struct err *err); /* all of it is durable */
void sender_done(struct import_sender *s);

#endif
