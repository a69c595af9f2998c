/* refusal.h - what is told of a row that contradicts an earlier one of its key: which that is, and what both mean. It is noted where
 * the contradiction is found, in the committer's thread, which touches no file, and told with an answer: by then the text of the earlier
 * row can be read in the store, to be quoted. Seen only by daemon/imports. */
#ifndef INLET_IMPORTS_REFUSAL_H
#define INLET_IMPORTS_REFUSAL_H

#include "daemon/imports/claim.h"

#define REFUSAL_TEXT_MAX 60 /* bytes of a text that are quoted */

/* Adds one to those noted, a text for refusals_tell(). object: of the key, as the index has it; begins: the first bytes of the
 * row's own text, of which REFUSAL_TEXT_MAX + 1 are looked at; empty: it is none, or they are not at hand. */
void refusal_note(struct import_pass *pass, const struct import_claim *c, struct slice begins, const struct ledger_row *object,
	const struct import_row *earlier, uint64_t frame, struct buf *noted);
/* The list "refused" of an answer (import.h), of all that was noted. What cannot be read is told without a quotation. */
void refusals_tell(struct store *s, struct slice noted, struct json *j);

#endif
