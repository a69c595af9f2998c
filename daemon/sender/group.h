/* group.h - neighbouring rows of one identity, as one row to the store. Seen only by daemon/sender, but for
 * row_body(). */
#ifndef INLET_SENDER_GROUP_H
#define INLET_SENDER_GROUP_H

#include "daemon/base/buf.h"
#include "daemon/manifest/manifest.h"

struct import_group {
	struct buf key;
	enum row_content kind;
	struct buf content;        /* path, URL or text */
	struct buf head;           /* body up to its labels: what members of a group have in common */
	struct buf labels;         /* "{…},{…}" */
	struct manifest_place at;  /* of the first row */
	struct buf origin;         /* of the first row, where it names a URL or an object of a bucket */
	size_t rows;
	struct buf failures;       /* "failed" objects of its rows, one a line: "<line> <json>" */
};

struct import_group *group_new(struct manifest *m, const struct manifest_row *row);
/* Of a file of a folder, which is in no manifest: its line is 0. row: content and identity are its path. */
struct import_group *group_of_file(const struct manifest_row *row);
void group_free(struct import_group *g); /* NULL allowed */
/* Takes the row in if it belongs there. */
bool group_add(struct import_group *g, struct manifest *m, const struct manifest_row *row);
/* Its labels and metadata are more than the store keeps of one row: it can only fail. */
bool group_too_long(const struct import_group *g);
void group_body(const struct import_group *g, struct buf *to);
/* Of a row that is in no group: the same, with `at` as the place where it stands. */
void row_body(const struct manifest_row *row, const char *at, struct buf *to);
/* The same bytes as another group? */
bool group_same_content(const struct import_group *g, const struct import_group *other);
size_t group_bytes(const struct import_group *g);
/* The "origin" of a frame: of all its rows. */
void group_origin(const struct import_group *g, struct buf *to);
/* A file that is not there yet: its origin is its path, which is looked for later. */
void group_await(struct import_group *g);
/* Frames that say of each row why it failed; returns how many. retry: the same row may be good another time. */
uint64_t group_failed(const struct import_group *g, struct slice reason, struct slice cure, bool retry, struct buf *to);
/* Ends the line of a frame that begins at `from`. */
void frame_end(struct buf *to, size_t from);
/* line 0: there is none. */
void failure_frame(uint64_t line, struct slice failed, struct slice reason, struct slice cure, struct buf *to);
/* The "failed" object of the row that m gave last. */
void failed_row(struct manifest *m, const struct manifest_failure *f, struct buf *to);

#endif
