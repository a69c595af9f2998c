/* item.c - stable ids of failures. */
#include "daemon/model/item.h"

#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>

void failure_id(const struct failure *f, char ret_id[FAILURE_ID_MAX])
{
	(void)snprintf(ret_id, FAILURE_ID_MAX, "%c%" PRIu64, f->subject == SUBJECT_OBJECT ? 'o' : 'i', f->number);
}

int failure_id_parse(struct slice id, enum failure_subject *ret_subject, uint64_t *ret_number)
{
	if (id.len < 2 || (id.p[0] != 'o' && id.p[0] != 'i') || id.p[1] == '0') /* numbers start at 1; one spelling each */
		return -1;
	uint64_t number;
	if (text_u64((struct slice){ id.p + 1, id.len - 1 }, &number) < 0)
		return -1;
	*ret_subject = id.p[0] == 'o' ? SUBJECT_OBJECT : SUBJECT_ITEM;
	*ret_number = number;
	return 0;
}
