/* imports.c - the life of all imports. */
#include "daemon/imports/imports.h"

#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/imports/fetch.h"
#include "daemon/imports/pass.h"
#include "daemon/imports/recheck.h"

#include <stdlib.h>

struct imports *imports_new(const struct import_needs *n)
{
	struct imports *imports = mem_zero(1, sizeof(*imports));
	uint32_t random;
	imports->config = n->config;
	imports->store = n->store;
	imports->account = n->account;
	imports->feeds = n->feeds;
	imports->ops = n->ops;
	imports->pipeline = n->pipeline;
	pthread_mutex_init(&imports->lock, NULL);
	hash_random(&random, sizeof(random)); /* a pass of an owner that has gone must not be taken for one of ours */
	imports->next_id = 1 + random;
	return imports;
}

int imports_start(struct imports *imports, struct err *err)
{
	if (import_fetch_open(imports, &imports->fetch, err) < 0)
		return -1;
	imports->recheck = recheck_new(imports, imports->fetch);
	return 0;
}

void imports_stop(struct imports *imports)
{
	import_fetch_stop(imports->fetch);
	recheck_stop(imports->recheck);
}

void imports_close(struct imports *imports)
{
	if (!imports)
		return;
	imports_stop(imports); /* one waits for the other */
	recheck_close(imports->recheck);
	import_fetch_close(imports->fetch);
	while (imports->passes) {
		struct import_pass *next = imports->passes->next;
		import_pass_free(imports->passes);
		imports->passes = next;
	}
	pthread_mutex_destroy(&imports->lock);
	free(imports);
}

void imports_fetch(struct imports *imports, const struct work *w, import_done_fn *done, void *arg)
{
	import_fetch_take(imports->fetch, w, done, arg);
}
