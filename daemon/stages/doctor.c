/* doctor.c - what `inlet doctor` looks at: each check says what it found and, where it is not well, the cure. */
#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/text.h"
#include "daemon/stages/pipeline.h"
#include "daemon/stages/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define FILES_WANTED 1024

struct visit {
	doctor_fn *fn;
	void *arg;
};

static void say(const struct visit *v, const char *level, const char *check, const char *found, const char *cure)
{
	v->fn(v->arg, level, check, found, cure);
}

static void look_at_disk(struct pipeline *p, const struct visit *v)
{
	char found[256];
	CLEANUP(close_fdp) int dir = open(p->config->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t room = dir >= 0 ? file_free_bytes(dir) : -1;
	bool enough = room < 0 || (uint64_t)room > 2 * p->config->limits.reserve_bytes;
	(void)snprintf(found, sizeof(found), "%lld MiB free, intake pauses below %llu MiB", (long long)(room >> 20),
		(unsigned long long)(p->config->limits.reserve_bytes >> 20));
	say(v, enough ? "ok" : "warn", "disk", found, enough ? "" : "free space, or move state_dir to a larger file system");
	struct err err = { 0 };
	if (store_ready(p->store, 0, &err) < 0 || *pipeline_intake(p, err.text, sizeof(err.text)))
		say(v, "fail", "store", err.text, "intake goes on by itself when there is room");
	else
		say(v, "ok", "store", "takes new objects", "");
}

/* A connector's own findings, under its source's name and in the doctor's words. */
struct examined {
	const struct visit *visit;
	const char *source;
};

static void pass_on(void *arg, const char *level, const char *check, const char *found, const char *cure)
{
	const struct examined *e = arg;
	char name[160];
	(void)snprintf(name, sizeof(name), "source %s: %s", e->source, check);
	say(e->visit, strcmp(level, "error") == 0 ? "fail" : strcmp(level, "warning") == 0 ? "warn" : "ok", name, found, cure);
}

/* 0: this user can list it; else the errno that says why not. */
static int unlisted(const char *folder)
{
	CLEANUP(close_fdp) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || access(folder, X_OK) < 0 ? errno : 0;
}

static const char *cure_of(const struct source *s, const struct source_view *now, int unlisted)
{
	struct err other;
	const struct source_config *c = source_config(s);
	if (unlisted == ENOTDIR)
		return "name a folder in sources[].folder.path, not a file";
	if (unlisted == EACCES || unlisted == EPERM)
		return "let this user read it: chmod o+rx, setfacl -m u:inlet:rx, or a group";
	if (strcmp(now->state, "held") == 0)
		return "look whether they are meant to be gone: put back what is not, or say so with --accept-gone";
	if (source_check(s, &other) < 0)
		return "one name is one source: the message tells both ways on";
	if (source_config_is_bucket(c))
		return "what follows here says where it fails; the source goes on by itself";
	return "mount or create the folder; the source goes on by itself";
}

static void look_at_source(struct source *s, const struct visit *v)
{
	char check[96], found[1600], where[1024];
	struct source_view now;
	const struct source_config *c = source_config(s);
	source_describe(s, &now);
	source_config_describe(c, where, sizeof(where));
	(void)snprintf(check, sizeof(check), "source %s", now.name);
	(void)snprintf(found, sizeof(found), "%s, %s, %s%s%s", where, now.state, now.watching, now.message[0] ? ": " : "", now.message);
	int why = source_config_is_bucket(c) ? 0 : unlisted(c->folder.path);
	bool well = why == 0 && strcmp(now.state, "offline") != 0 && strcmp(now.state, "held") != 0;
	say(v, !well ? "fail" : now.message[0] ? "warn" : "ok", check, found, well ? "" : cure_of(s, &now, why));
	if (source_ops(s)->check)
		source_ops(s)->check(source_connector(s), pass_on, &(struct examined){ v, now.name });
}

/* The unit has no network unless its drop-in gives it one; then every name of a bucket looks like one that does not exist. */
static void look_at_network(struct pipeline *p, const struct visit *v)
{
	bool buckets = false;
	for (size_t i = 0; i < p->source_count; i++)
		buckets = buckets || source_config_is_bucket(source_config(p->sources[i]));
	if (!buckets)
		return;
	CLEANUP(close_fdp) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool allowed = fd >= 0;
	say(v, allowed ? "ok" : "fail", "network", allowed ? "this process may use it" : "this process may not use it, and buckets need it",
		allowed ? "" : "install network.conf of share/inlet as a drop-in of the unit, then systemctl daemon-reload and restart");
}

static void look_at_watches(const struct visit *v)
{
	struct buf text = { 0 };
	struct err err;
	if (file_slurp(AT_FDCWD, "/proc/sys/fs/inotify/max_user_watches", 64, &text, &err) == 0) {
		long n = strtol(text.data, NULL, 10);
		char found[128];
		(void)snprintf(found, sizeof(found), "fs.inotify.max_user_watches = %ld (one for each directory)", n);
		say(v, n >= 65536 ? "ok" : "warn", "inotify", found,
			n >= 65536 ? "" : "sysctl fs.inotify.max_user_watches=1048576 (systemd/sysctl.d has it)");
	}
	buf_done(&text);
}

static void look_at_models(struct pipeline *p, const struct visit *v)
{
	for (size_t i = 0; i < p->config->model_count; i++) {
		const struct model_slot *slot = i < p->model_count ? &p->models[i] : NULL;
		bool missing = access(p->config->models[i].card, R_OK) != 0;
		char found[768];
		if (slot && slot->error[0])
			(void)snprintf(found, sizeof(found), "%s", slot->error);
		else
			(void)snprintf(found, sizeof(found), "%s%s", p->config->models[i].card, missing ? " is missing" : "");
		bool well = !missing && !(slot && slot->error[0]);
		say(v, well ? "ok" : "fail", "model", found, well ? "" : "`make models` fetches the default ones; see the card's path and keys");
	}
}

static void look_at_decoder(struct pipeline *p, const struct visit *v)
{
	if (!p->decoder) {
		bool there = access(p->decode_worker, X_OK) == 0;
		say(v, there ? "ok" : "fail", "decoder", p->decode_worker, there ? "" : "install inlet-decode beside inletd");
		return;
	}
	struct decode_stats s;
	char found[256];
	decode_pool_stats(p->decoder, &s);
	(void)snprintf(found, sizeof(found), "%d worker%s, sandbox %s, %llu item%s, %llu death%s, %llu timeout%s", s.workers,
		text_s((uint64_t)s.workers), s.sandbox, (unsigned long long)s.items, text_s(s.items), (unsigned long long)s.deaths,
		text_s(s.deaths), (unsigned long long)s.timeouts, text_s(s.timeouts));
	say(v, "ok", "decoder", found, "");
}

void pipeline_doctor(struct pipeline *p, doctor_fn *fn, void *arg)
{
	const struct visit v = { fn, arg };
	struct rlimit files;
	look_at_disk(p, &v);
	for (size_t i = 0; i < p->source_count; i++)
		look_at_source(p->sources[i], &v);
	look_at_network(p, &v);
	look_at_watches(&v);
	look_at_models(p, &v);
	look_at_decoder(p, &v);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		char found[96];
		(void)snprintf(found, sizeof(found), "%llu open files allowed", (unsigned long long)files.rlim_cur);
		say(&v, files.rlim_cur >= FILES_WANTED ? "ok" : "warn", "files", found,
			files.rlim_cur >= FILES_WANTED ? "" : "raise LimitNOFILE= of the unit, or ulimit -n");
	}
}
