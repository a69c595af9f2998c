/* excluded.c - items that follow their objects out of the dataset (on_gone: exclude): decided at read, by the configuration as it
 * is now, so that a change of mind needs no second pass. */
#include "daemon/stages/pipeline.h"
#include "daemon/stages/source.h"

/* A source that is not configured any more keeps what it brought. */
static bool keeps(struct pipeline *p, const struct reference *r)
{
	struct source *s = source_find(p, r->source);
	return r->state != OBJECT_GONE || !s || source_config(s)->on_gone == ON_GONE_KEEP;
}

int pipeline_excluded(struct pipeline *p, struct view *v, uint64_t item, struct err *err)
{
	const struct reference *refs;
	size_t n;
	if (view_references(v, item, true, &refs, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (keeps(p, &refs[i]))
			return 0;
	return n > 0;
}
