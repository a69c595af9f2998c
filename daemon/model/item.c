/* item.c - stable ids of failures. */
#include "daemon/model/item.h"

#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>

void failure_id(const struct failure *f, char ret_id[FAILURE_ID_MAX])
{
	if (f->subject == SUBJECT_ROW)
		(void)snprintf(ret_id, FAILURE_ID_MAX, "r%" PRIu64 ".%" PRIu64, row_import(f->number), row_line(f->number));
	else
		(void)snprintf(ret_id, FAILURE_ID_MAX, "%c%" PRIu64, f->subject == SUBJECT_OBJECT ? 'o' : 'i', f->number);
}

/* Numbers start at 1; one spelling each. */
static int parse_number(const char *p, size_t n, uint64_t max, uint64_t *ret)
{
	return n == 0 || p[0] == '0' || text_u64((struct slice){ p, n }, ret) < 0 || *ret > max ? -1 : 0;
}

static int parse_row(struct slice id, uint64_t *ret_number)
{
	uint64_t import, line;
	const char *dot = memchr(id.p, '.', id.len);
	size_t before = dot ? (size_t)(dot - id.p) : 0;
	if (!dot || parse_number(id.p, before, IMPORT_MAX, &import) < 0 ||
		parse_number(dot + 1, id.len - before - 1, ROW_LINE_MAX, &line) < 0)
		return -1;
	*ret_number = row_number(import, line);
	return 0;
}

int failure_id_parse(struct slice id, enum failure_subject *ret_subject, uint64_t *ret_number)
{
	if (id.len < 2)
		return -1;
	struct slice rest = { id.p + 1, id.len - 1 };
	bool is_row = id.p[0] == 'r';
	if (is_row ? parse_row(rest, ret_number) < 0 :
		(id.p[0] != 'o' && id.p[0] != 'i') || parse_number(rest.p, rest.len, UINT64_MAX, ret_number) < 0)
		return -1;
	*ret_subject = is_row ? SUBJECT_ROW : id.p[0] == 'o' ? SUBJECT_OBJECT : SUBJECT_ITEM;
	return 0;
}
