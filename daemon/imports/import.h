/* import.h - a manifest's rows come in: from a client that reads the manifest, in passes.
 *
 * begin, any number of uploads of rows, end. The rows are objects of a source of kind "manifest" whose name is the import's;
 * what a pass sees again costs no write, and what it does not see is counted when it ends, never deleted. One pass an import:
 * a second begin ends the first, whose uploads are refused from then on. Nothing of a pass need be kept: one that broke off
 * is begun again and goes through what is there without writing.
 *
 * An upload is a run of frames: a line of JSON, and the bytes that it announces.
 *
 *   {"line":2,"key":"img1","version":"1f.2800.1.1","racy":true,"bytes":10240,"payload":true,"body":{…}}\n<10240 bytes>
 *   {"line":3,"key":"img2","version":"20.2800.1.1","bytes":10240,"body":{…}}\n
 *   {"line":4,"failed":{…},"reason":"…","cure":"…"}\n
 *   {"line":5,"key":"img3","body":{…},"origin":{"url":"https://…",…}}\n
 *   {"line":6,"mended":true}\n
 *   {"line":7,"key":"img4","body":{…},"origin":{"url":"cats/a.jpg",…},"stale":true}\n
 *
 * The second form offers a file: when the ledger has it at that version its row is taken, else the answer lists it in
 * "wanted" (frames are counted from 0 over the pass) and the client sends it in the first form. A client that expects to be asked may
 * send it so at once: what is known at its version is passed over, and counted in the answer ("known", "known_bytes"). The fourth
 * names a URL or an object of a bucket, or the path of a file that cannot be had now, which is fetched by fetch.c once it is
 * durable; where its bytes are there already, only if they are said to be stale (the last form). body, failed and origin:
 * daemon/model/import_body.h.
 *
 * The uploads of a pass come one after the other. Each is answered when it has been read, not when it is durable: so the disk works
 * while the next one comes. Its answer, and that of "settle", which waits for all, say what is durable by then:
 *
 *   "durable":5000,"refused":[{"frame":4711,"reason":"…","cure":"…"}]
 *
 * Frames before that number are durable. A refused one contradicts an earlier row of its key in the same pass (claim.h), and
 * is not taken: the client, which remembers rows until they are durable, says in the third form what it was. So that "earlier" means
 * the manifest's order, a row goes up when those before it that have its key and other bytes have been sent. After a failure nothing
 * more of the pass is taken, and every answer is that failure.

 *
 * A *mending* pass brings rows of an import that failed, and no others: what it does not see stays as it is. A row takes the place
 * of the one that stood in its line; one of a line that stands nowhere takes that of its object's only row, for it is told anew; a
 * further row of an object is added. "mended" says that the pass tells the row of a line, and goes before all rows: when the
 * pass ends, failures of these lines that did not come up again are over, and so are objects that only such a line named and that
 * could not be fetched. Until then nothing of them goes: a pass that broke off begins with the same failures. */
#ifndef INLET_IMPORTS_IMPORT_H
#define INLET_IMPORTS_IMPORT_H

#include "daemon/base/json.h"
#include "daemon/store/committer.h"

struct buf;
struct config;
struct imports;

struct import_begin {
	struct slice name;           /* of the import and its source, 1 to 400 bytes */
	struct slice file;           /* where the manifest is; empty: a pipe */
	struct slice format, header; /* for `inlet failures` (record.h) */
	struct slice attributes;     /* of a folder, a JSON object: how it is read; p NULL: as the last pass did */
	bool own;                    /* a manifest of a source, which the daemon reads itself (source.h) */
};
/* ERR_REJECT: the name is that of a source of another kind. `as`, which may be NULL, gets the attributes of a folder: as this pass
 * is to read it. */
int import_begin(struct imports *imports, const struct import_begin *b, uint64_t *ret_pass, uint64_t *ret_import, struct buf *as,
	struct err *err);

/* Begins a mending pass over the rows that failed of an import, by number or by name, and adds to j what its rows are read by: import,
 * pass, name, file, format, last (no row stood in a line above). ERR_REJECT: there is none, it is being read or was broken off, or
 * its rows do not stand alone. */
int import_mend(struct imports *imports, struct slice which, struct json *j, struct err *err);
struct import;
int import_mendable(const struct config *c, const struct import *i, struct err *err); /* ERR_REJECT: as above, as far as the index knows */

/* One thread, one upload of a pass at a time. import_take() blocks while the store cannot take more; after its first failure it only
 * swallows. import_finish() adds the answer's members to j, and waits only where very much is on its way to the disk; -1: the first
 * failure (ERR_REJECT: not a frame, or no such pass). Either import_finish() or import_drop() ends it. */
struct import_upload;
struct import_upload *import_upload_new(struct imports *imports, uint64_t pass);
void import_take(struct import_upload *u, struct slice bytes);
int import_finish(struct import_upload *u, struct json *j, struct err *err);
void import_drop(struct import_upload *u);
/* Returns when all that was taken is durable, and adds what is told of it to j; -1: the first failure. */
int import_settle(struct imports *imports, uint64_t pass, struct json *j, struct err *err);

/* What the client counted and read. The stages take up what came, also those of a stand-in. */
struct import_counts {
	uint64_t import, rows, failed;
	uint64_t written;            /* rows that were new or said something new */
	uint64_t vanished;           /* objects that no row names any more */
	bool mending;                /* then: failures that are over, and rows of the import that are still failed */
	uint64_t mended, left;
};
/* How many of its objects could not be fetched so far, for good and for now. */
int import_left(struct imports *imports, uint64_t import, uint64_t *ret_quarantined, uint64_t *ret_retrying, struct err *err);
/* With the rest of its line it must fit into one of the log. */
#define IMPORT_ATTRIBUTES_MAX (512U << 10)
struct import_close {
	uint64_t rows, failed;
	struct slice attributes;     /* a JSON object: what the manifest says of all its rows (manifest_attributes()); may be empty */
	bool again;                  /* not all of it could be read: it is not complete before another pass */
	prepare_fn *also;            /* what becomes true in the same commit; NULL: nothing */
	void *also_arg;
};
int import_end(struct imports *imports, uint64_t pass, const struct import_close *b, struct import_counts *ret, struct err *err);

#endif
