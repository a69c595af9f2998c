/* worker_output.c - sections of the result file. */
#include "daemon/decode/worker_output.h"

#include "daemon/base/file.h"

#include <assert.h>

bool output_fits(const struct output *o, enum wire_section s, size_t n)
{
	return n <= wire_section_max(s, o->limits, o->job) - o->lengths[s];
}

int output_add(struct output *o, enum wire_section s, const void *p, size_t n, struct err *err)
{
	for (int later = s + 1; later < WIRE_SECTIONS; later++)
		assert(o->lengths[later] == 0);
	if (!output_fits(o, s, n))
		return err_set(err, ERR_REJECT, 0, "the decoded result is too large");
	if (n && file_write_at(o->fd, p, n, o->at, err) < 0)
		return err_wrap(err, "decoder's result");
	o->at += n;
	o->lengths[s] += n;
	return 0;
}

void output_drop(struct output *o, enum wire_section s)
{
	o->at -= o->lengths[s];
	o->lengths[s] = 0;
}
