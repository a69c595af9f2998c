/* import_folder.c - files of a tree as rows of an import, 32 at a time.
 *
 * The next chunk goes up while the disk works at the last ones; each is told of when it is durable, one after the other.
 *
 * The tree is counted first where somebody looks on, so that there is an end to be told of. What is offered again unchanged is
 * not sent, so an import that broke off is simply begun again. */
#include "daemon/cli/import_folder.h"

#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/args.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/import_sidecar.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/manifest/path_label.h"

#include <fcntl.h>
#include <inttypes.h>

#define CHUNKS_WAITING 64 /* to be told of: so many that one group of the committer takes */
#define LABELS_FROM "labels_from" /* of the import's attributes: directory or none */
#define FILE_COST (32U << 10) /* bytes that could be sent while one more file is opened: for what is left of the time */

struct tally {
	uint64_t files, cost;
};
/* Lines of chunks that are not known to be durable, in their order. */
struct chunk_lines {
	struct buf text;
	struct {
		uint64_t frames;  /* of the sender, up to its last */
		size_t bytes;     /* of its line */
	} chunks[CHUNKS_WAITING];
	size_t count;
};
struct folder_import {
	struct import_run *run;
	uint64_t chunk_files;     /* in a chunk */
	bool labels;              /* the folder that a file is in names its concept */
	bool sidecars;            /* NAME.json speaks of NAME */
	struct manifest_label *given; /* of the file under way, with room for one more than its sidecar has */
	size_t given_cap;
	bool chunk_lines;         /* say of each chunk how it went */
	struct tally all, done;   /* all: as counted before; 0 nobody looks on */
	uint64_t in_chunk;
	uint64_t chunk_failed, chunk_sent, chunk_sent_bytes; /* totals when it began */
	struct chunk_lines lines;
};

/* --- how it goes --- */

static void show(struct folder_import *f)
{
	struct import_run *r = f->run;
	struct buf text = { 0 };
	buf_printf(&text, "%" PRIu64, r->rows);
	if (f->all.files)
		buf_printf(&text, " of %" PRIu64, f->all.files);
	buf_printf(&text, " file%s", text_s(f->all.files ? f->all.files : r->rows));
	run_progress(r, "files", f->done.cost, f->all.cost, &text);
	progress_show("%s", text.data);
	buf_done(&text);
}

static uint64_t chunk_count(const struct folder_import *f)
{
	uint64_t files = f->all.files > f->done.files ? f->all.files : f->done.files; /* some came while it was read */
	return (files + f->chunk_files - 1) / f->chunk_files;
}

static void chunk_json(const struct folder_import *f, struct buf *to)
{
	const struct import_run *r = f->run;
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_u64(&j, "chunk", r->chunks);
	json_u64(&j, "chunks", chunk_count(f));
	json_u64(&j, "import", r->number);
	json_u64(&j, "files", f->in_chunk);
	json_u64(&j, "sent", r->sender.sent - f->chunk_sent);
	json_u64(&j, "sent_bytes", r->sender.sent_bytes - f->chunk_sent_bytes);
	json_u64(&j, "failed", r->sender.failed - f->chunk_failed);
	json_u64(&j, "files_done", f->done.files);
	json_u64(&j, "files_total", f->all.files);
	json_u64(&j, "eta_s", run_left_s(r, f->done.cost, f->all.cost));
	json_close(&j, '}');
	buf_char(to, '\n');
}

static void chunk_text(const struct folder_import *f, struct buf *to)
{
	const struct import_run *r = f->run;
	buf_printf(to, "chunk %" PRIu64 " of %" PRIu64 ": %" PRIu64 " file%s, %" PRIu64 " new or changed, %" PRIu64 " failed; %" PRIu64
		" s left\n", r->chunks, chunk_count(f), f->in_chunk, text_s(f->in_chunk), r->sender.sent - f->chunk_sent, r->sender.failed - f->chunk_failed,
		run_left_s(r, f->done.cost, f->all.cost));
}

/* Of the chunk that has just been sent; there is room. */
static void line_add(struct folder_import *f)
{
	struct chunk_lines *l = &f->lines;
	size_t start = l->text.len;
	if (f->run->cli->args->json)
		chunk_json(f, &l->text);
	else
		chunk_text(f, &l->text);
	l->chunks[l->count].frames = sender_taken(&f->run->sender);
	l->chunks[l->count++].bytes = l->text.len - start;
}

/* Tells of the chunks that are durable. */
static int lines_tell(struct folder_import *f, struct err *err)
{
	struct chunk_lines *l = &f->lines;
	size_t n = 0, bytes = 0;
	for (; n < l->count && l->chunks[n].frames <= sender_durable(&f->run->sender); n++)
		bytes += l->chunks[n].bytes;
	if (n == 0)
		return 0;
	progress_clear();
	int printed = out_printf(err, "%.*s", (int)bytes, l->text.data);
	memmove(l->text.data, l->text.data + bytes, l->text.len - bytes);
	l->text.len -= bytes;
	memmove(l->chunks, l->chunks + n, (l->count - n) * sizeof(*l->chunks));
	l->count -= n;
	return printed;
}

static int chunk_end(struct folder_import *f, struct err *err)
{
	struct import_run *r = f->run;
	if (f->in_chunk == 0)
		return 0;
	if (sender_push(&r->sender, err) < 0)
		return -1;
	r->chunks++;
	if (f->chunk_lines) {
		line_add(f);
		if (f->lines.count == CHUNKS_WAITING && sender_flush(&r->sender, err) < 0)
			return -1;
		if (lines_tell(f, err) < 0)
			return -1;
	}
	f->in_chunk = 0;
	f->chunk_failed = r->sender.failed;
	f->chunk_sent = r->sender.sent;
	f->chunk_sent_bytes = r->sender.sent_bytes;
	return 0;
}

/* The last ones, too. */
static int chunks_end(struct folder_import *f, struct err *err)
{
	return chunk_end(f, err) < 0 || sender_flush(&f->run->sender, err) < 0 ? -1 : lines_tell(f, err);
}

/* --- entries --- */

static void count(const struct folder_import *f, struct tally *t, const struct walk_entry *e)
{
	struct stat st;
	if (e->kind != WALK_FILE && e->kind != WALK_LINK)
		return;
	t->files += !(f->sidecars && sidecar_is(e));
	t->cost += FILE_COST + (fstatat(e->dir, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size : 0);
}

static int count_one(void *arg, const struct walk_entry *e, struct err *err)
{
	if (interrupted())
		return err_set(err, ERR_RETRY, EINTR, "the import");
	struct folder_import *f = arg;
	count(f, &f->all, e);
	return 0;
}

/* What the sidecar says, where there is one, and the folder. */
static struct manifest_row row_of(struct folder_import *f, const struct walk_entry *e, const struct manifest_row *sidecar)
{
	struct path_label says = f->labels ? path_label(e->path) : (struct path_label){ 0 };
	struct manifest_row row = sidecar ? *sidecar : (struct manifest_row){ 0 };
	size_t n = row.label_count;
	if (n >= f->given_cap)
		f->given = mem_resize(f->given, f->given_cap = 2 * (n + 1), sizeof(*f->given));
	if (n)
		memcpy(f->given, row.labels, n * sizeof(*f->given));
	f->given[n] = (struct manifest_label){ .concept = says.concept, .confidence = -1, .status = STATUS_SUCCESS,
		.maker = MAKER_UNKNOWN };
	row.labels = f->given;
	row.label_count = n + (says.concept.len > 0);
	row.split = row.split != SPLIT_NONE ? row.split : says.split;
	row.identity_kind = ROW_BY_REFERENCE;
	row.content_kind = ROW_PATH;
	row.identity = row.content = e->path;
	return row;
}

static int failed_by_name(struct folder_import *f, struct slice path, const struct err *why, const char *cure, struct err *err)
{
	const struct manifest_row row = { .identity_kind = ROW_BY_REFERENCE, .identity = path, .content_kind = ROW_PATH, .content = path };
	return sender_file_failed(&f->run->sender, &row, why, cure, err);
}

/* A sidecar that cannot be used fails by its own name; the file comes in all the same. */
static int send_file(struct folder_import *f, const struct walk_entry *e, struct err *err)
{
	CLEANUP(buf_done) struct buf cure = { 0 };
	struct sidecar s = { .fd = -1 };
	struct err why;
	int found = f->sidecars ? sidecar_open(&f->run->files, e, &s, &cure, &why) : 0;
	int ok = found < 0 ? failed_by_name(f, buf_slice(&s.path), &why, cure.data ? cure.data : "", err) : 0;
	struct manifest_row row = row_of(f, e, found > 0 ? &s.row : NULL);
	if (ok == 0)
		ok = sender_file(&f->run->sender, &row, err);
	f->run->sidecars += found != 0;
	sidecar_close(&s);
	return ok;
}

static int file(struct folder_import *f, const struct walk_entry *e, struct err *err)
{
	struct import_run *r = f->run;
	if ((e->kind == WALK_FAILED ? failed_by_name(f, e->path, e->why, e->cure, err) : send_file(f, e, err)) < 0)
		return -1;
	r->rows++;
	f->in_chunk++;
	return f->in_chunk == f->chunk_files ? chunk_end(f, err) : 0;
}

/* Links to files of the tree are files; those to folders are not entered, for they may lead round in a circle. What leads
 * elsewhere, or nowhere, fails by name. */
static int link_to(struct folder_import *f, const struct walk_entry *e, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err why;
	struct walk_entry failed = *e;
	if (import_files_get(&f->run->files, e->path, &fd, &st, &cure, &why) == 0)
		return file(f, e, err);
	if (why.sys == EISDIR) {
		f->run->skipped++;
		return 0;
	}
	failed.kind = WALK_FAILED;
	failed.why = &why;
	failed.cure = why.class == ERR_REJECT ? "put the file itself there, or import the folder that the link leads to" :
		"remove the link, or put there what it leads to";
	return file(f, &failed, err);
}

static void say_store(const struct import_run *r, struct slice path)
{
	struct buf shown = { 0 };
	out_plain(&shown, path);
	progress_clear();
	(void)fprintf(stderr, "inlet: %s/%s is passed over: it is Inlet's own store\n", r->file, shown.data);
	buf_done(&shown);
}

static int import_one(void *arg, const struct walk_entry *e, struct err *err)
{
	struct folder_import *f = arg;
	if (interrupted())
		return err_set(err, ERR_RETRY, EINTR, "the import");
	if (f->all.files)
		count(f, &f->done, e);
	if (run_shows(f->run))
		show(f);
	switch (e->kind) {
	case WALK_FILE:
		if (f->sidecars && sidecar_is(e))
			return 0; /* read with its file */
		return file(f, e, err);
	case WALK_FAILED: return file(f, e, err);
	case WALK_LINK: return link_to(f, e, err);
	case WALK_FOLDER: return 0;
	case WALK_STORE: say_store(f->run, e->path); break;
	case WALK_IGNORED:
	case WALK_SPECIAL: break;
	}
	f->run->skipped++;
	return 0;
}

/* --- all of it --- */

static int options(struct folder_import *f, struct err *err)
{
	static const char *const of_manifests[] = { "input", "columns", "root" };
	const struct args *a = f->run->cli->args;
	const char *chunk = args_option(a, "chunk"), *labels = args_option(a, "labels-from");
	for (size_t i = 0; i < sizeof(of_manifests) / sizeof(*of_manifests); i++)
		if (args_option(a, of_manifests[i]))
			return err_set(err, ERR_REJECT, 0, "option '--%s' is for manifests, and '%s' is a folder", of_manifests[i],
				a->words[0]);
	f->chunk_files = f->run->cli->config->import.batch;
	if (chunk)
		(void)text_u64(slice_of(chunk), &f->chunk_files);
	if (labels)
		f->run->attributes = mem_printf("{\"" LABELS_FROM "\":\"%s\"}", labels);
	f->chunk_lines = args_option(a, "chunks") != NULL;
	f->sidecars = args_option(a, "no-sidecars") == NULL;
	return 0;
}

/* As the command says, else as the last pass did: labels that a folder gave are never lost by a word that was left out. */
static void take_labels_from(struct folder_import *f)
{
	const struct import_run *r = f->run;
	CLEANUP(json_decrefp) json_t *attributes = json_loads(r->attributes ? r->attributes : "{}", 0, NULL);
	f->labels = slice_eq(field(attributes, LABELS_FROM), SLICE_LIT("directory"));
	if (f->labels && !args_option(r->cli->args, "labels-from"))
		(void)fprintf(stderr, "inlet: '%s': labels are those of its folders, as when it was imported before; --labels-from none drops "
			"them\n", r->file);
}

int import_folder(struct import_run *r, struct err *err)
{
	struct folder_import f = { .run = r };
	r->folder = true;
	if (options(&f, err) < 0)
		return EXIT_USAGE;
	if (run_open(r, r->file, err) < 0)
		return -1;
	if ((f.chunk_lines || progress_seen()) && import_walk(&r->files, count_one, &f, err) < 0)
		return -1;
	r->start_ns = clock_mono_ns();
	if (run_begin(r, "folder", SLICE_LIT(""), err) < 0)
		return -1;
	take_labels_from(&f);
	int ok = import_walk(&r->files, import_one, &f, err);
	if (ok == 0)
		ok = chunks_end(&f, err);
	progress_clear();
	free(f.given);
	buf_done(&f.lines.text);
	return ok < 0 ? -1 : run_end(r, slice_of(r->attributes ? r->attributes : ""), err);
}
