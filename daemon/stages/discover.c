/* discover.c - one pass over a source, from its first page to what is concluded from it. */
#include "daemon/stages/discover.h"

#include "daemon/stages/merge.h"
#include "daemon/stages/source.h"
#include "daemon/stages/source_label.h"
#include "daemon/stages/vanish.h"

int discover_open(struct source *s, struct err *err)
{
	int switched = source_sidecars_changed(s, source_had_objects(s), err);
	if (switched < 0)
		return err_wrap(err, "source '%s'", source_name(s));
	source_set_switched(s, switched);
	return 0;
}

int discover_begin(struct source *s, struct err *err)
{
	return source_switch_begin(s, source_switched(s), err) < 0 ? err_wrap(err, "source '%s'", source_name(s)) : 0;
}

static int relabel(struct source *s, const struct merge *m, struct err *err)
{
	if (source_relabel(s, m->thorough, m->misread == 0, err) < 0)
		return -1;
	source_set_switched(s, source_switched(s) && m->misread > 0);
	source_settled(s);
	return 0;
}

/* What a pass concludes; *ret_why, if it is not empty then: too much went at once for that. */
static int conclude(struct source *s, const struct merge *m, bool full, char *ret_why, size_t size, struct err *err)
{
	if (vanish_check(s, m->absent, full && source_take_acceptance(s), ret_why, size, err) < 0)
		return -1;
	if (ret_why[0] != '\0')
		return 0;
	if (vanish_conclude(s, m->absent, err) < 0)
		return -1;
	if (!full)
		return 0;
	return relabel(s, m, err) < 0 ? -1 : source_remember(s, true, "live", m->unreadable ? m->passed_over : NULL, err);
}

static void run_pass(struct source *s, enum discover_scope scope)
{
	struct pipeline *p = source_pipeline(s);
	struct absent *absent = absent_new(p->config->state_dir);
	struct merge m;
	struct pass pass = { 0 };
	struct err err;
	merge_init(&m, s, absent);
	m.thorough = source_switched(s);
	int ok = source_ops(s)->discover(source_connector(s), scope, merge_page, &m, &pass, &err);
	char why[512] = "";
	if (ok == 0 && pass.complete)
		ok = conclude(s, &m, pass.full || scope == DISCOVER_ALL, why, sizeof(why), &err);
	if (ok == 0 && why[0] != '\0')
		source_was_held(s, why);
	else if (ok == 0)
		source_went_well(s, &pass, m.unreadable, m.passed_over);
	else if (err.class == ERR_FATAL)
		account_fail(p->account, &err);
	else if (!account_stopping(p->account) && !source_paused(s))
		source_went_offline(s, &err);
	merge_done(&m);
	absent_free(absent);
}

int discover_start(struct source *s, struct err *err)
{
	return source_start(s, run_pass, err);
}
