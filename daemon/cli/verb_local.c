/* verb_local.c - check-config, rebuild-index, help, version: what needs no owner of the store. */
#include "daemon/cli/args.h"
#include "daemon/cli/out.h"
#include "daemon/cli/spawn.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/base/version.h"

#include <errno.h>
#include <sys/wait.h>

int verb_check_config(struct cli *c, struct err *err)
{
	CLEANUP(config_freep) struct config *config = NULL;
	if (config_check(c->config->file, &config, err) < 0)
		return -1;
	if (!c->args->json)
		return out_printf(err, "%s is good: %zu source%s%s, %zu model%s, store in %s\n", config->file, config->source_count,
			text_s(config->source_count), config->source_count ? "" : " (only `inlet import` brings something in)",
			config->model_count, text_s(config->model_count), config->state_dir);
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	json_bool(&j, "ok", true);
	json_bytes(&j, "file", slice_of(config->file));
	json_bytes(&j, "state_dir", slice_of(config->state_dir));
	json_u64(&j, "sources", config->source_count);
	json_u64(&j, "models", config->model_count);
	json_close(&j, '}');
	buf_char(&text, '\n');
	int r = out_write(NULL, buf_slice(&text), err);
	buf_done(&text);
	return r;
}

/* The index belongs to whoever holds the lock, so inletd does it; it refuses while a daemon runs, and says so. */
int verb_rebuild_index(struct cli *c, struct err *err)
{
	pid_t pid;
	int status;
	if (spawn_inletd(c->config, "--rebuild-index", NULL, &pid, err) < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_RETRY, errno, "wait for inletd");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return EXIT_DONE;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_RETRY, 0,
			"inletd --rebuild-index was ended by signal %d; run it again, the log is whole",
			WTERMSIG(status));
	return err_set(err, ERR_RETRY, 0,
		"the index was not rebuilt; if a daemon runs, stop it first (systemctl stop inletd)");
}

static int help_verb(const struct verb *v, struct err *err)
{
	if (out_printf(err, "inlet %s %s\n  %s\n", v->name, v->usage, v->help) < 0)
		return -1;
	for (const struct verb_option *o = v->options; o && o->name; o++) {
		struct buf name = { 0 };
		buf_printf(&name, "--%s %s", o->name, o->value ? o->value : "");
		int r = out_printf(err, "  %-24s %s\n", name.data, o->help);
		buf_done(&name);
		if (r < 0)
			return -1;
	}
	return EXIT_DONE;
}

static const char help_head[] =
	"usage: inlet [--config FILE] [--json] VERB …\n"
	"Looks after an Inlet dataset; with no daemon running it works on the store itself.\n\n";
static const char help_tail[] =
	"\nOptions of every verb\n"
	"  --config FILE   the configuration; default $INLET_CONFIG, ./inlet.yaml, /etc/inlet/inlet.yaml\n"
	"  --json          for scripts: one JSON object, or JSON lines\n"
	"  --help          what a verb does and takes; also `inlet help VERB`\n"
	"\nExit status: 0 done, 1 failed, 2 usage, 3 done in part (something is quarantined, retrying, offline\n"
	"or damaged), 130 interrupted. NO_COLOR is honoured.\n";

int verb_help(struct cli *c, struct err *err)
{
	const struct args *a = c->args;
	const char *name = a->word_count ? a->words[0] : NULL;
	const struct verb *v = name ? verb_find(name) : NULL;
	if (v)
		return help_verb(v, err);
	if (name) {
		const char *near = verb_nearest(name);
		(void)err_set(err, ERR_REJECT, 0, "unknown verb '%.100s'%s%s%s; `inlet help` lists them", name,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return EXIT_USAGE;
	}
	if (out_printf(err, "%s", help_head) < 0)
		return -1;
	for (size_t i = 0; (v = verb_at(i)); i++)
		if (out_printf(err, "  %-15s %s\n", v->name, v->help) < 0)
			return -1;
	return out_printf(err, "%s", help_tail);
}

int verb_version(struct cli *c, struct err *err)
{
	return out_printf(err, c->args->json ? "{\"version\":\"%s\"}\n" : "inlet %s\n", INLET_VERSION);
}
