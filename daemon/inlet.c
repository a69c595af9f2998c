/* inlet.c - the client: reads the command line, finds the configuration and the store's owner, runs one verb.
 *
 *   args_parse()    daemon/cli/args      the command line against the table of verbs (verbs.c)
 *   config_load()   config               which dataset is meant
 *   client_open()   daemon/cli/client    HTTP to the daemon, or to a stand-in that attend.c starts
 *   verb->run()     daemon/cli/verb_*    asks, prints, and says with which status to exit
 */
#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"

#include <errno.h>
#include <signal.h>

CLEANUP_FN(struct client *, client_close)

static int load_config(const struct args *a, struct config **ret, struct err *err)
{
	const char *path;
	return config_find(a->config, &path, err) < 0 ? -1 : config_load(path, ret, err);
}

static int run(const struct args *a, struct err *err)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(client_closep) struct client *client = NULL;
	struct cli c = { .args = a };
	if (a->verb->needs >= NEEDS_CONFIG && load_config(a, &config, err) < 0)
		return -1;
	c.config = config;
	if (a->verb->needs == NEEDS_OWNER && client_open(config, &client, err) < 0)
		return -1;
	c.client = client;
	int code = a->verb->run(&c, err);
	return code >= 0 && out_flush(err) < 0 ? -1 : code;
}

/* Help and version may be asked for in the middle of anything; no verb at all is a question too, but an error to
 * scripts. */
static int dispatch(struct args *a, struct err *err)
{
	const char *name = a->verb ? a->verb->name : NULL;
	if (a->version || a->help) {
		const struct args help = { .verb = verb_find(a->version ? "version" : "help"),
			.json = a->json,
			.words = &name,
			.word_count = name && !a->version ? 1 : 0 };
		return run(&help, err);
	}
	if (a->verb)
		return run(a, err);
	(void)err_set(err, ERR_REJECT, 0,
		"say what to do: inlet VERB; `inlet help` lists the verbs, `inlet status` is a good start");
	return EXIT_USAGE;
}

/* The reader of our output has gone: end as every program in a pipe does. */
static void end_by_pipe(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
}

/* An error may quote what came from outside: nothing in it drives the terminal. */
static void complain(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	(void)fprintf(stderr, "inlet: %s\n", text);
}

int main(int argc, char **argv)
{
	struct args args;
	struct err err = { 0 };
	if (file_standard_fds() < 0)
		return EXIT_FAILED;
	interrupt_catch();
	int code = args_parse(argc, argv, &args, &err) < 0 ? EXIT_USAGE : dispatch(&args, &err);
	args_done(&args);
	progress_clear();
	if (code < 0 && err.sys == EPIPE)
		end_by_pipe();
	bool stopped = interrupted() && code < 0;
	if (stopped)
		(void)fputs("inlet: interrupted; what is done stays done, and the same command does the rest\n", stderr);
	else if (code < 0 || *err.text)
		complain(err.text);
	return stopped ? EXIT_INTERRUPTED : code < 0 ? EXIT_FAILED : code;
}
