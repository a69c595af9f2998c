/* frames.h - rows on their way: in the frames of an upload, and remembered from there until they are durable. Seen only by
 * daemon/sender. One thread. */
#ifndef INLET_SENDER_FRAMES_H
#define INLET_SENDER_FRAMES_H

#include "daemon/base/buf.h"

#include <jansson.h>

/* Rows of one identity that follow each other and say the same beside their labels: one row to the store. */
struct import_group;

/* Frames of one upload, and whose rows they are. */
struct sender_frames {
	struct buf text;
	struct import_group **rows; /* by frame, owned; NULL: one that says that a row failed */
	uint32_t *marks;            /* by frame: of the row's key */
	size_t count, cap;
	size_t held;                /* bytes of rows */
	size_t offers;              /* files that are only offered */
	size_t files;               /* files and texts whose bytes are in it... */
	uint64_t file_bytes;        /* ...and these */
};
/* Rows that have been sent and are not durable yet: they may still be refused. By frame of the pass, from `first` on. */
struct sender_sent {
	struct import_group **rows; /* owned; NULL: nothing is to be told of it any more */
	uint64_t first;
	size_t count, cap;
	size_t held;
};

/* Notes n frames that were put into f->text; g: whose they are, owned from now on; NULL: they say that rows failed. */
void frames_note(struct sender_frames *f, struct import_group *g, uint64_t n);
/* Is an offered file among them that has g's key, and other bytes? */
bool frames_offer_other(const struct sender_frames *f, const struct import_group *g);
void frames_done(struct sender_frames *f);

/* f's rows have been sent; f is empty then. */
void sent_add(struct sender_sent *s, struct sender_frames *f);
/* Frames of the pass before this one are durable: their rows are forgotten. */
void sent_forget(struct sender_sent *s, uint64_t frame);
/* The row of a frame that an answer speaks of, which is the caller's from now on; NULL: there is none. */
struct import_group *sent_take(struct sender_sent *s, const json_t *frame);
void sent_done(struct sender_sent *s);

#endif
