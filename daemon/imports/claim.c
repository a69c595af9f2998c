/* claim.c - two rows of one key: do they mean the same bytes? */
#include "daemon/imports/claim.h"

#include "daemon/model/import_body.h"

static const struct import_row *seen_before(struct import_pass *pass, const struct import_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (import_saw(pass, rows[i].row))
			return &rows[i];
	return NULL;
}

/* Over all of a manifest, the first row of an object in a pass takes the place of its only one; further ones are added, and what
 * earlier passes said goes at the end. A pass that mends leaves what it does not tell. */
const struct import_row *claim_replaces(struct import_pass *pass, uint64_t line, const struct import_row *rows, size_t n)
{
	for (size_t i = 0; pass->mending && i < n; i++)
		if (rows[i].line == line && rows[i].import == pass->import && !import_saw(pass, rows[i].row))
			return &rows[i];
	if (n != 1 || (pass->mending && import_told(pass, line)))
		return NULL;
	return import_saw(pass, rows[0].row) ? NULL : &rows[0];
}

/* The row that this one is compared with, for both stand. */
static const struct import_row *beside(struct import_pass *pass, uint64_t line, const struct import_row *rows, size_t n)
{
	const struct import_row *row = seen_before(pass, rows, n);
	if (row || !pass->mending || n == 0)
		return row;
	const struct import_row *replaced = claim_replaces(pass, line, rows, n);
	for (size_t i = 0; i < n; i++)
		if (&rows[i] != replaced && !(rows[i].import == pass->import && import_told(pass, rows[i].line)))
			return &rows[i];
	return NULL; /* all of them are told anew */
}

/* Texts have no place: their bytes are compared. */
static int other_text(struct view *now, const struct import_claim *c, const struct ledger_row *object, struct err *err)
{
	struct item item;
	if (!c->text || object->item == 0)
		return 0;
	int found = view_item(now, object->item, &item, err);
	return found <= 0 ? found : memcmp(&item.content, c->text, sizeof(item.content)) != 0;
}

/* A file that is named in two ways is known by its version. */
static bool same_file(const struct import_claim *c, const struct ledger_row *object)
{
	return object->state == OBJECT_PRESENT && object->version.len > 0 && slice_eq(object->version, c->version);
}

static int differs(struct view *now, const struct import_claim *c, const struct ledger_row *object, const struct import_body *said,
	const struct import_body *says, struct err *err)
{
	if (!slice_eq(said->at, says->at))
		return 1;
	if (slice_eq(says->at, SLICE_LIT("text")))
		return other_text(now, c, object, err);
	return !slice_eq(said->where, says->where) && !same_file(c, object);
}

int claim_contradicted(struct import_pass *pass, struct view *now, const struct import_claim *c, const struct ledger_row *object,
	const struct import_row *rows, size_t n, const struct import_row **ret, struct err *err)
{
	const struct import_row *earlier = beside(pass, c->line, rows, n);
	struct import_body said, says;
	struct reader r, s;
	if (!earlier)
		return 0;
	*ret = earlier;
	if (import_body_read(earlier->body, &r, &said, err) < 0)
		return -1;
	int other = import_body_read(c->body, &s, &says, err);
	if (other == 0) {
		other = differs(now, c, object, &said, &says, err);
		reader_done(&s);
	}
	reader_done(&r);
	return other;
}
