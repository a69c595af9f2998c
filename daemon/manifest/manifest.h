/* manifest.h - turns the bytes of a manifest, of any known format, into a stream of rows.
 *
 * Pure: reads through the caller's callback, opens nothing, keeps one row in memory (COCO: see spool). Compressed
 * (gzip, zstd) and UTF-16 manifests are decoded on the way. The format is recognised by content unless given. A bad
 * row is a result like a good one and the next follows. One reader is for one thread. */
#ifndef INLET_MANIFEST_MANIFEST_H
#define INLET_MANIFEST_MANIFEST_H

#include "config/manifest_words.h"
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/manifest/row.h"

#include <stdio.h>
#include <sys/types.h>

const char *manifest_format_name(enum manifest_format f);  /* "auto", "csv", "jsonl", "clarifai", "labelstudio", ... */
enum manifest_format manifest_format_parse(struct slice name, bool *ret_known);
const char *const *manifest_format_names(void);            /* NULL-terminated, for did-you-mean */

enum manifest_input manifest_input_parse(struct slice name, bool *ret_known); /* "auto", "url", "file_path", "raw" */

/* Plain CSV and JSONL: a role that is not mapped takes the first column with one of its usual names. */
const char *manifest_role_name(enum manifest_role r);      /* "id", "input", "url", ... : the keys of `columns:` */
enum manifest_role manifest_role_parse(struct slice name); /* MANIFEST_ROLES: unknown */
struct manifest_columns {
	const char *of[MANIFEST_ROLES]; /* column names, NULL: not mapped; borrowed while the reader lives */
	bool loose;                     /* a name that the manifest has not is passed over, instead of refused */
};

/* Gives up to n bytes of the manifest as stored: > 0, 0 at its end, -1 with err (the reader passes it on). */
typedef ssize_t manifest_read_fn(void *arg, void *p, size_t n, struct err *err);
/* The next read begins at this byte. -1: cannot. */
typedef int manifest_seek_fn(void *arg, uint64_t offset, struct err *err);

/* The folder around a data.yaml. Paths are relative to it and not yet trusted: the caller confines them. */
struct manifest_tree {
	void *arg;
	int (*open)(void *arg, const char *path, void **ret_file, struct err *err);  /* 1, 0: no such file, -1 */
	ssize_t (*read)(void *file, void *p, size_t n, struct err *err);             /* as manifest_read_fn */
	void (*close)(void *file);
	int (*open_dir)(void *arg, const char *path, void **ret_dir, struct err *err); /* 1, 0: no such folder, -1 */
	/* 1, 0: end, -1; replaces ret_name */
	int (*next)(void *dir, struct buf *ret_name, bool *ret_is_dir, struct err *err);
	void (*close_dir)(void *dir);
};

/* Where a manifest was left: the next row begins there. Plain numbers, to be kept by the caller as long as the
 * manifest's bytes and the options stay the same; { 0 } is the beginning. */
struct manifest_point {
	uint64_t offset, line, rows;   /* rows: given so far, failed ones included */
	uint64_t line_offset;          /* of the first byte of that line */
};

struct manifest_options {
	enum manifest_format format;
	enum manifest_input input;
	const struct manifest_columns *columns; /* NULL: usual names only */
	const char *name;            /* of the manifest, for messages; SIDECAR: "x/NAME.json" is of the file "NAME" */
	size_t field_max;            /* bytes of one CSV field or JSON string; 0: 1 MiB */
	size_t record_max;           /* bytes of one row; 0: 16 MiB */
	uint64_t text_max;           /* bytes after decompression; 0: 1 TiB. Beyond 64 MiB also at most 1,000:1 */
	manifest_seek_fn *seek;      /* NULL: resuming reads through what it skips */
	const struct manifest_tree *tree; /* YOLO; else NULL */
	/* COCO lists images and annotations apart, in any order: they are sorted together in this file, which the
	 * reader owns from here on (unlinked, O_RDWR; as many bytes as the manifest has). -1: a COCO manifest is
	 * refused. */
	int spool;
	struct manifest_point from;  /* { 0 }: from the start */
};

struct manifest;

/* Reads the head (at most 1 MiB of text, and the CSV header), decides the format and is ready for the first row at
 * o->from. Takes over o->spool in any case. ERR_REJECT: not a manifest we know, a header that cannot be used, a
 * limit: with reason and cure; other classes come from read. */
int manifest_open(const struct manifest_options *o, manifest_read_fn *read, void *arg, struct manifest **ret,
	struct err *err);
void manifest_close(struct manifest *m);  /* NULL allowed */
CLEANUP_FN(struct manifest *, manifest_close)

/* 1: *ret_row; 2: this row failed, *ret_failure, go on; 0: the end; -1: the rest cannot be read (asking again
 * repeats it). */
int manifest_next(struct manifest *m, struct manifest_row *ret_row, struct manifest_failure *ret_failure,
	struct err *err);
/* Behind the row (or failed row) that was given last. */
void manifest_tell(const struct manifest *m, struct manifest_point *ret);

enum manifest_format manifest_format(const struct manifest *m);
/* One line for people, no newline: "M.csv: Clarifai CSV (gzip, UTF-16LE), delimiter ',', columns inputid input
 * concepts". */
void manifest_describe(const struct manifest *m, struct buf *to);
/* Bytes of the stored manifest that were read so far: for progress beside the file's size. */
uint64_t manifest_read_bytes(const struct manifest *m);
/* What goes before raw rows to make a manifest of them again (header line with its line end); empty where nothing
 * does. For formats whose rows cannot stand alone (COCO, YOLO, CVAT video): -1, and failed rows are given as JSON
 * lines instead. */
#define MANIFEST_HEADER_MAX (64U << 10) /* bytes; kept with the import */
int manifest_header(const struct manifest *m, struct slice *ret);
/* What the manifest says of all its rows beyond them, one JSON object (COCO: info, licenses, categories); known behind its
 * last row. Empty: nothing, or more than MANIFEST_ATTRIBUTES_MAX bytes. Valid as long as the reader. */
#define MANIFEST_ATTRIBUTES_MAX (512U << 10)
struct slice manifest_attributes(const struct manifest *m);
/* The last row's own values, failed or not, as one JSON object: {"inputid":"a","input":"…"}; what does not parse as
 * {"text":"…"}; bytes that are not UTF-8 as \xNN in it. */
void manifest_values(const struct manifest *m, struct buf *to);

#endif
