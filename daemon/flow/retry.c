/* retry.c - how long a failure waits, and the record of an object that is fetched again. */
#include "daemon/flow/retry.h"

#include "connectors/connector.h"
#include "daemon/base/clock.h"
#include "daemon/store/change.h"
#include "daemon/store/view.h"

#include <stdio.h>

bool retry_plan(uint32_t attempts_max, const struct err *err, uint32_t attempts_before, struct record_failure *into)
{
	/* An errno means that the outside world refused; what has none is of our own making and gets a counted few tries. */
	uint32_t allowed = err->sys != 0 ? ATTEMPTS_FOREVER : attempts_max;
	into->attempts = attempts_before + 1;
	into->retry = err->class == ERR_RETRY && into->attempts < allowed;
	uint64_t wait_ms = backoff_ms(attempts_before, RETRY_BASE_MS, RETRY_CAP_MS);
	into->due_ms = clock_wall_ms() + (int64_t)(err->wait_ms > wait_ms ? err->wait_ms : wait_ms);
	return into->retry;
}

int retry_object(struct change *c, struct view *v, uint64_t object, int64_t due_ms, struct record_failure **ret, struct err *err)
{
	struct slice source, key;
	struct ledger_row row;
	struct source_row owner;
	int found = view_object_by_number(v, object, &source, &key, &row, err);
	if (found <= 0)
		return found;
	source = change_copy(c, source);
	key = change_copy(c, key);
	struct slice version = change_copy(c, row.version);
	if ((found = view_source(v, source, &owner, err)) <= 0)
		return found;
	char kind[32];
	(void)snprintf(kind, sizeof(kind), "%.*s", (int)owner.kind.len, owner.kind.p);
	const struct connector_ops *ops = connector_find(kind);
	bool manifest = strcmp(kind, "manifest") == 0; /* its URLs are fetched by imports */
	if (!ops && !manifest)
		return 0;
	*ret = &change_add(c, RECORD_FAILURE)->failure;
	**ret = (struct record_failure){ .subject = SUBJECT_OBJECT, .number = object, .stage = STAGE_FETCH, .retry = true,
		.due_ms = due_ms, .source = source, .key = key, .version = version, .layout = ops ? ops->layout : LAYOUT_FLAT, .bytes = row.bytes };
	return 1;
}
