/* inletd.c - the daemon. The map of the program:
 *
 *   config_load()      config/         the YAML, against one option table
 *   store_open()       daemon/store    the log on disk and its index; recovers, starts the one writer
 *   pipeline_open()    daemon/stages   the path of a file:
 *
 *     folder (connectors/)
 *        |  discover: pages of a listing, merged with the ledger        stages/source.c, merge.c
 *      fetch: bytes read once, hashed while they arrive                 stages/fetch.c
 *        |
 *      commit: log, fdatasync, index, acknowledge                       store/committer.c
 *        |  from here on every stage takes its work from the index
 *      normalize: a sandboxed inlet-decode looks at it                  stages/normalize.c, decode/
 *        |
 *      infer: batches through a model                                   stages/infer.c, infer/
 *        |
 *      route: bands turn scores into labels                             stages/route.c
 *        |
 *      review, export: people and their tools                           api/, cli/, export/
 *
 *   server_start()     daemon/api      HTTP on state_dir/inlet.sock
 *   loop_run()         daemon/loop.c   sd-event: signals, watchdog, inotify
 *
 * base/ is what knows nothing of Inlet; model/ holds its words. daemon/DESIGN.md has the rest. */
#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/base/version.h"
#include "daemon/owner.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MALLOC_ARENAS 4 /* threads share a few heaps: what one frees another can use, and memory stays bounded */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"usage: inletd [--config FILE] [--once | --check | --attend | --rebuild-index] [--verbose]\n"
	"  --config FILE     the configuration (default: $INLET_CONFIG, ./inlet.yaml, /etc/inlet/inlet.yaml)\n"
	"  --once            ingest and drain, print the counts, exit 0, or 3 if something remains\n"
	"  --check           check the configuration and the files that it names, no more\n"
	"  --rebuild-index   make the index anew from the log\n"
	"  --attend          own the store while clients speak (started by `inlet`, not by people)\n"
	"  --help-config     every option of the configuration\n"
	"  --verbose         a line for each object that fails\n"
	"  --version\n";

enum mode { MODE_DAEMON, MODE_ONCE, MODE_CHECK, MODE_ATTEND, MODE_REBUILD };

static int run(enum mode mode, const struct config *c)
{
	switch (mode) {
	case MODE_CHECK:
		(void)printf("%s: the configuration is good: %zu source%s%s, %zu model%s, state_dir %s\n", c->file, c->source_count,
			text_s(c->source_count), c->source_count ? "" : " (nothing is watched; only `inlet import` brings something in)",
			c->model_count, text_s(c->model_count), c->state_dir);
		return EXIT_OK;
	case MODE_REBUILD: return owner_rebuild(c);
	case MODE_DAEMON: return owner_run(c, PIPELINE_DAEMON);
	case MODE_ONCE: return owner_run(c, PIPELINE_ONCE);
	case MODE_ATTEND: return owner_run(c, PIPELINE_ATTEND);
	}
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	enum { OPT_ONCE = 256, OPT_CHECK, OPT_ATTEND, OPT_REBUILD, OPT_HELP_CONFIG, OPT_VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "once", no_argument, NULL, OPT_ONCE },
		{ "check", no_argument, NULL, OPT_CHECK }, { "attend", no_argument, NULL, OPT_ATTEND },
		{ "rebuild-index", no_argument, NULL, OPT_REBUILD }, { "help-config", no_argument, NULL, OPT_HELP_CONFIG },
		{ "verbose", no_argument, NULL, 'v' }, { "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	enum mode mode = MODE_DAEMON;
	const char *file = NULL;
	bool verbose = false;
	if (file_standard_fds() < 0)
		return EXIT_FAILED;
	for (int opt; (opt = getopt_long(argc, argv, "c:vh", options, NULL)) != -1;) {
		switch (opt) {
		case 'c': file = optarg; break;
		case 'v': verbose = true; break;
		case OPT_ONCE: mode = MODE_ONCE; break;
		case OPT_CHECK: mode = MODE_CHECK; break;
		case OPT_ATTEND: mode = MODE_ATTEND; break;
		case OPT_REBUILD: mode = MODE_REBUILD; break;
		case OPT_HELP_CONFIG: config_help(stdout); return EXIT_OK;
		case OPT_VERSION: (void)puts("inletd " INLET_VERSION); return EXIT_OK;
		case 'h': (void)fputs(usage, stdout); return EXIT_OK;
		default: (void)fputs(usage, stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "inletd: unexpected argument '%s'\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	(void)umask(0027);
	(void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	log_init("inletd", verbose);
	CLEANUP(config_freep) struct config *c = NULL;
	struct err err;
	if (config_find(file, &file, &err) < 0 || (mode == MODE_CHECK ? config_check : config_load)(file, &c, &err) < 0) {
		LOG_ERR(LOG_FATAL, "%s", err.text);
		return EXIT_USAGE;
	}
	return run(mode, c);
}
