/* reference.h - what a value of a manifest refers to: a URL, an object in a bucket, a path; or nothing, then it is text.
 * Pure. */
#ifndef INLET_MANIFEST_REFERENCE_H
#define INLET_MANIFEST_REFERENCE_H

#include "daemon/base/buf.h"
#include "daemon/manifest/row.h"

enum reference_kind {
	REFERENCE_NONE,    /* no scheme, no leading "/", "./" or "../" */
	REFERENCE_URL, REFERENCE_S3, REFERENCE_GS,
	REFERENCE_PATH,    /* as written */
	REFERENCE_FILE,    /* a file: URL; also file:a/b, relative to the manifest */
	REFERENCE_DATA,    /* "data:image/png;base64,…": carries its bytes itself */
	REFERENCE_OTHER,   /* a scheme that is known, but not fetched: ftp, abfs, … */
};
enum reference_kind reference_kind(struct slice value);
/* Is a text that refers to nothing the name of a media file? */
bool reference_is_like_file(struct slice text);
/* Appends the path of a file: URL, decoded. -1: it names another host, or has a broken escape or a NUL in it. */
int reference_file_path(struct slice url, struct buf *to);

#endif
