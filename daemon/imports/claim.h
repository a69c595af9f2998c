/* claim.h - what a row says that its object is, beside what earlier rows of the same key said in the same pass. Rows of one
 * key are one object: they may differ in labels and metadata, not in the bytes that they mean. Seen only by daemon/imports. */
#ifndef INLET_IMPORTS_CLAIM_H
#define INLET_IMPORTS_CLAIM_H

#include "daemon/imports/pass.h"
#include "daemon/store/view.h"

struct import_claim {
	struct slice key, version, body;
	uint64_t line;
	const struct content_id *text; /* its bytes, where the row is a text that has come; else NULL */
};
/* Of the rows of an object, the one that a row of this line, which says something else, takes the place of; NULL: it is added. */
const struct import_row *claim_replaces(struct import_pass *pass, uint64_t line, const struct import_row *rows, size_t n);
/* object, rows: what the index says of the key now. 1: *ret is the earlier row that says otherwise (a pointer into rows); 0, -1. */
int claim_contradicted(struct import_pass *pass, struct view *now, const struct import_claim *c, const struct ledger_row *object,
	const struct import_row *rows, size_t n, const struct import_row **ret, struct err *err);

#endif
