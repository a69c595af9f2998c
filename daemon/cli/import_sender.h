/* import_sender.h - rows of a manifest on their way to the store's owner: gathered into uploads (daemon/stages/import.h), files
 * offered first and sent where they are wanted. One thread. */
#ifndef INLET_CLI_IMPORT_SENDER_H
#define INLET_CLI_IMPORT_SENDER_H

#include "daemon/cli/client.h"
#include "daemon/cli/import_files.h"
#include "daemon/manifest/manifest.h"

/* Rows of one identity that follow each other and say the same beside their labels: one row to the store. */
struct import_group;

/* Frames of one upload, and whose rows they are. */
struct sender_frames {
	struct buf text;
	struct import_group **rows; /* by frame; NULL: one that says that a row failed */
	uint32_t *marks;            /* by frame: of the row's key */
	size_t count, cap;
	size_t held;                /* bytes of rows */
	size_t offers;              /* rows that are files */
};
struct import_sender {
	struct client *client;
	const struct import_files *files;
	uint64_t pass;
	uint64_t failed;             /* rows that could not be used */
	uint64_t sent_bytes;         /* of files and texts */
	/* the rest is import_sender.c's */
	struct sender_frames frames; /* under way; its rows are owned */
	struct import_group *group;  /* under way */
};

/* { .client, .files, .pass } begins one. ERR_*: the owner refuses, or the connection broke; a row that cannot be used is no
 * error. m: whose row it is now. */
int sender_row(struct import_sender *s, struct manifest *m, const struct manifest_row *row, struct err *err);
int sender_failure(struct import_sender *s, struct manifest *m, const struct manifest_failure *f, struct err *err);
int sender_flush(struct import_sender *s, struct err *err); /* all of it is durable */
void sender_done(struct import_sender *s);

#endif
