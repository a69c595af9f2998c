/* verb_import.c - import: reads a manifest here, with the caller's rights, and hands its rows to the store's owner; or a folder. */
#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/args.h"
#include "daemon/cli/import_folder.h"
#include "daemon/cli/import_mends.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/out.h"
#include "daemon/cli/progress.h"
#include "daemon/manifest/reference.h"
#include "daemon/sender/tree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

#define WARNINGS_SHOWN 10

struct import {
	struct import_run run;
	int fd;                       /* of the manifest */
	uint64_t bytes;               /* of it; 0: unknown */
	struct manifest_columns columns;
	char *column_text;            /* what columns points into */
	uint64_t warnings;
	uint64_t like_files;          /* texts that look like names of files */
	const char *into;             /* --into; NULL: it is a list of its own. Else run.name and run.file are that import's */
	char *format;                 /* of that import's list */
	uint64_t last;                /* no row of it stands in a line above */
	struct mends mends;           /* of such a list */
};

static void import_done(struct import *i)
{
	mends_done(&i->mends);
	run_done(&i->run);
	if (i->fd > STDIN_FILENO)
		close_fdp(&i->fd);
	free(i->column_text);
	free(i->format);
}

/* --- the manifest --- */

/* What messages call it. */
static const char *shown(const struct import *i)
{
	const struct import_run *r = &i->run;
	assert(r->file);
	return i->into ? r->cli->args->words[0] : *r->file ? r->file : r->name;
}

/* Or is it a pipe? */
static bool is_file(const struct import *i)
{
	assert(i->run.file);
	return *i->run.file || i->into;
}

static ssize_t read_manifest(void *arg, void *p, size_t n, struct err *err)
{
	const struct import *i = arg;
	ssize_t got = read(i->fd, p, n);
	if (got < 0)
		return err_set(err, ERR_RETRY, errno, "read '%s'", is_file(i) ? shown(i) : "standard input");
	return got;
}

static int seek_manifest(void *arg, uint64_t offset, struct err *err)
{
	const struct import *i = arg;
	return lseek(i->fd, (off_t)offset, SEEK_SET) < 0 ? err_set(err, ERR_RETRY, errno, "seek in '%s'", shown(i)) : 0;
}

static int open_spool(void)
{
	const char *dir = getenv("TMPDIR");
	return open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int no_role(const char *text, struct err *err)
{
	struct buf known = { 0 };
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		buf_printf(&known, "%s%s", r ? ", " : "", manifest_role_name(r));
	(void)err_set(err, ERR_REJECT, 0, "option '--columns' takes roles and columns, like url=image_url,label=class; '%s' is no role "
		"with a column; roles are %s", text, known.data);
	buf_done(&known);
	return -1;
}

/* "url=image_url,label=class": roles and the columns that have them. */
static int parse_columns(struct import *i, const char *text, struct err *err)
{
	char *rest = i->column_text = mem_strdup(text), *pair;
	while ((pair = strsep(&rest, ",")) != NULL) {
		char *column = strchr(pair, '=');
		enum manifest_role role = MANIFEST_ROLES;
		if (column) {
			*column++ = '\0';
			role = manifest_role_parse(slice_of(pair));
		}
		if (role == MANIFEST_ROLES)
			return no_role(pair, err);
		i->columns.of[role] = column;
	}
	return 0;
}

static int options(struct import *i, struct manifest_options *o, struct err *err)
{
	const struct args *a = i->run.cli->args;
	const char *format = args_option(a, "format"), *input = args_option(a, "input"), *columns = args_option(a, "columns");
	bool known = true;
	const struct import_config *c = &i->run.cli->config->import;
	*o = (struct manifest_options){ .name = shown(i), .spool = -1, .input = c->input,
		.field_max = (size_t)c->field_bytes };
	format = i->into ? i->format : format;
	if (format)
		o->format = manifest_format_parse(slice_of(format), &known);
	if (input)
		o->input = manifest_input_parse(slice_of(input), &known);
	if (columns && parse_columns(i, columns, err) < 0)
		return -1;
	for (enum manifest_role r = 0; !columns && r < MANIFEST_ROLES; r++)
		i->columns.of[r] = c->columns.of[r];
	i->columns.loose = !columns;
	o->columns = &i->columns;
	o->seek = is_file(i) ? seek_manifest : NULL;
	return 0;
}

/* Who the manifest or folder is: its resolved path, and the name that it has from then on. */
static int identify(struct import *i, const char *path, struct err *err)
{
	const char *name = args_option(i->run.cli->args, "name");
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *file = fd >= 0 ? realpath(path, NULL) : NULL;
	i->fd = fd;
	i->run.file = file;
	if (!file || fstat(fd, &st) < 0)
		return err_set(err, ERR_REJECT, errno, "the manifest or folder '%s'", path);
	i->run.folder = S_ISDIR(st.st_mode);
	i->bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	i->run.name = mem_strdup(name ? name : file);
	return 0;
}

static int identify_input(struct import *i, struct err *err)
{
	const char *name = args_option(i->run.cli->args, "name");
	if (!name)
		return err_set(err, ERR_REJECT, 0, "a manifest from standard input has no name: give it one with --name, under which "
			"it is known when it is imported again");
	i->fd = STDIN_FILENO;
	i->run.file = mem_strdup("");
	i->run.name = mem_strdup(name);
	return 0;
}

/* What is no file is read into one: it is read twice. */
static int make_seekable(struct import *i, struct err *err)
{
	CLEANUP(close_fdp) int to = -1;
	char piece[64 << 10];
	ssize_t n;
	uint64_t at = 0;
	if (lseek(i->fd, 0, SEEK_CUR) >= 0)
		return 0;
	to = open_spool();
	if (to < 0)
		return err_set(err, ERR_RETRY, errno, "a file in TMPDIR or /tmp");
	for (; (n = read_manifest(i, piece, sizeof(piece), err)) > 0; at += (uint64_t)n)
		if (file_write_at(to, piece, (size_t)n, at, err) < 0)
			return err_wrap(err, "a file in TMPDIR or /tmp");
	if (n < 0)
		return -1;
	if (i->fd > STDIN_FILENO)
		close_fdp(&i->fd);
	i->fd = take_fd(&to);
	return 0;
}

/* Mended rows of an import: who that is, and what its list is. */
static int identify_mends(struct import *i, const char *path, struct err *err)
{
	struct stat st;
	i->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (i->fd < 0 || fstat(i->fd, &st) < 0)
		return err_set(err, ERR_REJECT, errno, "the manifest '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_REJECT, EISDIR, "option '--into' takes a list of mended rows: '%s'", path);
	i->bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (make_seekable(i, err) < 0)
		return -1;
	return run_mend(&i->run, i->into, &i->format, &i->last, err);
}

static int open_files(struct import *i, struct err *err)
{
	const char *root = args_option(i->run.cli->args, "root");
	assert(i->run.file);
	CLEANUP(freep) char *beside = mem_strdup(i->run.file);
	const char *folder = *i->run.file ? dirname(beside) : ".";
	if (run_open(&i->run, root ? root : folder, err) < 0)
		return -1;
	CLEANUP(freep) char *word = mem_strdup(i->run.cli->args->words[0]);
	import_files_alias(&i->run.files, root ? root : dirname(word));
	import_files_start(&i->run.files, folder);
	return 0;
}

/* --- its rows --- */

static void warn(struct import *i, const struct manifest_row *row)
{
	for (size_t k = 0; k < row->warning_count; k++) {
		if (i->warnings++ >= WARNINGS_SHOWN)
			continue;
		struct buf text = { 0 };
		out_plain(&text, row->warnings[k]);
		progress_clear();
		(void)fprintf(stderr, "inlet: %s:%" PRIu64 ": %s\n", shown(i), row->at.line, text.data);
		buf_done(&text);
	}
}

static void show(struct import *i, const struct manifest *m)
{
	struct buf text = { 0 };
	buf_printf(&text, "%" PRIu64 " row%s", i->run.rows, text_s(i->run.rows));
	run_progress(&i->run, "rows", manifest_read_bytes(m), i->bytes, &text);
	progress_show("%s", text.data);
	buf_done(&text);
}

/* Which failed rows are told anew, before any is: they contradict none of the mended ones. */
static int tell_mends(struct import *i, struct err *err)
{
	for (size_t n = 0; n < i->mends.count; n++) {
		struct manifest_place at = { 0 };
		if (mends_place(&i->mends, n, &at) && sender_told(&i->run.sender, at.line, err) < 0)
			return -1;
	}
	return 0;
}

/* In a list of mended rows each has the place of the one that it stands for. */
static void place_row(const struct import *i, struct manifest_place *at)
{
	if (i->into)
		(void)mends_place(&i->mends, i->run.rows - 1, at);
}

static int all_rows(struct import *i, struct manifest *m, struct err *err)
{
	struct manifest_row row;
	struct manifest_failure failure;
	int more;
	while ((more = manifest_next(m, &row, &failure, err)) > 0) {
		if (interrupted())
			return err_set(err, ERR_RETRY, EINTR, "the import");
		i->run.rows++;
		if (more == 1) {
			warn(i, &row);
			i->like_files += row.content_kind == ROW_TEXT && reference_is_like_file(row.content);
		}
		place_row(i, more == 1 ? &row.at : &failure.at);
		if ((more == 1 ? sender_row(&i->run.sender, m, &row, err) : sender_failure(&i->run.sender, m, &failure, err)) < 0)
			return -1;
		if (run_shows(&i->run))
			show(i, m);
	}
	int sent = sender_flush(&i->run.sender, more < 0 ? &(struct err){ 0 } : err); /* what was read before it broke stays read */
	progress_clear();
	return more < 0 ? -1 : sent;
}

static int begin(struct import *i, const struct manifest *m, struct err *err)
{
	struct slice header = { 0 };
	i->run.rows_alone = manifest_header(m, &header) == 0;
	if (i->into)
		return 0; /* it has begun, and goes by what that says */
	return run_begin(&i->run, manifest_format_name(manifest_format(m)), header, err);
}

static int open_list(struct import *i, struct manifest_options *o, struct manifest **ret, struct err *err)
{
	o->spool = open_spool(); /* the reader's from here on */
	return manifest_open(o, read_manifest, i, ret, err);
}

/* Which row stands for which, before any goes up. */
static int read_mends(struct import *i, struct manifest_options *o, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	int more;
	if (open_list(i, o, &m, err) < 0)
		return -1;
	while ((more = manifest_next(m, &row, &failure, err)) > 0)
		if (mends_add(&i->mends, m, more == 1 ? &row : NULL, err) < 0)
			return -1;
	if (more < 0 || seek_manifest(i, 0, err) < 0)
		return -1;
	return mends_match(&i->mends, i->run.cli->client, i->run.number, i->last, err);
}

static int run(struct import *i, struct manifest_options *o, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	struct buf line = { 0 };
	if (open_files(i, err) < 0)
		return -1;
	struct manifest_tree tree = import_tree(&i->run.files);
	o->tree = &tree;
	if (i->into && read_mends(i, o, err) < 0)
		return -1;
	if (open_list(i, o, &m, err) < 0)
		return -1;
	manifest_describe(m, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	buf_done(&line);
	if (begin(i, m, err) < 0 || tell_mends(i, err) < 0 || all_rows(i, m, err) < 0)
		return -1;
	if (i->warnings > WARNINGS_SHOWN)
		(void)fprintf(stderr, "inlet: %" PRIu64 " warnings in all\n", i->warnings);
	if (i->like_files && o->input == INPUT_AUTO)
		(void)fprintf(stderr, "inlet: %" PRIu64 " input%s taken for %s and look%s like %s; if so, import again with "
			"--input file_path\n", i->like_files, i->like_files == 1 ? " was" : "s were", i->like_files == 1 ? "a text" : "texts",
			i->like_files == 1 ? "s" : "", i->like_files == 1 ? "the name of a file" : "names of files");
	return run_end(&i->run, manifest_attributes(m), err);
}

/* --- a folder --- */

/* Is the file of this name in the folder a list of what else is in it? 1: it is open as i's manifest; 0; -1. */
static int holds(struct import *i, const char *name, enum manifest_format format, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	CLEANUP(freep) char *path = mem_printf("%s/%s", i->run.file, name);
	struct import list = { .run.cli = i->run.cli, .fd = -1, .run.files.root = -1 };
	struct manifest_options o = { .name = path, .spool = -1 };
	struct err why;
	int r = 0;
	if (identify(&list, path, &why) == 0 && open_files(&list, &why) == 0) {
		struct manifest_tree tree = import_tree(&list.run.files);
		o.tree = &tree;
		r = manifest_open(&o, read_manifest, &list, &m, &why) == 0 && manifest_format(m) == format;
	}
	if (r > 0 && lseek(list.fd, 0, SEEK_SET) < 0)
		r = err_set(err, ERR_RETRY, errno, "seek in '%s'", path);
	if (r > 0) {
		(void)fprintf(stderr, "inlet: '%s' holds %s: imported as that dataset (--format folder takes its files as they are)\n",
			i->run.file, name);
		manifest_close(TAKE_PTR(m)); /* before the files that it reads below: run() opens them where they are kept */
		import_files_close(&list.run.files);
		struct import folder = *i;
		*i = list;
		list = folder;
	}
	manifest_close(TAKE_PTR(m));
	import_done(&list);
	return r;
}

/* Datasets whose list lies beside their files are meant by their folder's name, unless somebody asks for the files alone. */
static int find_list(struct import *i, struct err *err)
{
	static const struct {
		const char *name;
		enum manifest_format format;
	} lists[] = { { "data.yaml", MANIFEST_YOLO }, { "metadata.csv", MANIFEST_HUGGING_FACE },
		{ "metadata.jsonl", MANIFEST_HUGGING_FACE } };
	const struct args *a = i->run.cli->args;
	int r = 0;
	if (args_option(a, "format") || args_option(a, "labels-from"))
		return 0;
	for (size_t k = 0; r == 0 && k < sizeof(lists) / sizeof(*lists); k++)
		r = holds(i, lists[k].name, lists[k].format, err);
	return r;
}

static int folder_options(const struct import *i, struct err *err)
{
	static const char *const of_folders[] = { "labels-from", "no-sidecars", "chunk", "chunks" };
	const struct args *a = i->run.cli->args;
	const char *format = args_option(a, "format");
	if (i->run.folder && format && strcmp(format, "folder") != 0)
		return err_set(err, ERR_REJECT, 0, "'%s' is a folder; name a manifest in it", a->words[0]);
	if (!i->run.folder && format && strcmp(format, "folder") == 0)
		return err_set(err, ERR_REJECT, 0, "option '--format folder' is for folders, and '%s' is a manifest", i->run.name);
	for (size_t k = 0; !i->run.folder && k < sizeof(of_folders) / sizeof(*of_folders); k++)
		if (args_option(a, of_folders[k]))
			return err_set(err, ERR_REJECT, 0, "option '--%s' is for folders, and '%s' is a manifest", of_folders[k],
				i->run.name);
	return 0;
}

static int into_options(const struct args *a, struct err *err)
{
	static const char *const of_lists[] = { "name", "format", "labels-from", "no-sidecars", "chunk", "chunks" };
	for (size_t k = 0; k < sizeof(of_lists) / sizeof(*of_lists); k++)
		if (args_option(a, of_lists[k]))
			return err_set(err, ERR_REJECT, 0, "option '--%s' does not go with --into: mended rows are of the name and the format that "
				"their import has", of_lists[k]);
	return 0;
}

/* EXIT_USAGE, 0, -1. */
static int identify_any(struct import *i, const char *word, struct err *err)
{
	bool input = strcmp(word, "-") == 0;
	if (i->into)
		return into_options(i->run.cli->args, err) < 0 ? EXIT_USAGE : identify_mends(i, word, err);
	int r = input ? identify_input(i, err) : identify(i, word, err);
	return r < 0 && input ? EXIT_USAGE : r;
}

static int manifest(struct import *i, struct err *err)
{
	struct manifest_options o;
	return options(i, &o, err) < 0 ? EXIT_USAGE : run(i, &o, err);
}

/* Does a list of Hugging Face lie in this folder, as far as names tell? */
static bool seems_listed(const char *folder)
{
	CLEANUP(freep) char *table = mem_printf("%s/metadata.csv", folder);
	CLEANUP(freep) char *lines = mem_printf("%s/metadata.jsonl", folder);
	return access(table, F_OK) == 0 || access(lines, F_OK) == 0;
}

/* The list of one split, where its folder holds one: 1, *ret_code as it ended; 0; -1. */
static int import_split(const struct import *whole, const char *split, int *ret_code, struct err *err)
{
	struct import i = { .run.cli = whole->run.cli, .fd = -1, .run.files.root = -1 };
	CLEANUP(freep) char *folder = mem_printf("%s/%s", whole->run.file, split);
	if (!seems_listed(folder))
		return 0;
	int r = identify(&i, folder, err);
	if (r == 0)
		r = find_list(&i, err);
	if (r > 0 && args_option(i.run.cli->args, "name"))
		r = err_set(err, ERR_REJECT, 0, "option '--name' names one list, and '%s' has one in the folder of each split", whole->run.file);
	int code = r > 0 ? manifest(&i, err) : r;
	import_done(&i);
	if (r > 0 && code > *ret_code)
		*ret_code = code;
	return code < 0 ? -1 : r;
}

/* Hugging Face's datasets may have a list in the folder of each split: then these are imported, one after the other. How many
 * there are, or -1; *ret_code is how they ended. */
static int import_splits(const struct import *i, int *ret_code, struct err *err)
{
	static const char *const splits[] = { "train", "val", "valid", "validation", "test" };
	int count = 0;
	for (size_t s = 0; s < sizeof(splits) / sizeof(*splits); s++) {
		int r = import_split(i, splits[s], ret_code, err);
		if (r < 0)
			return -1;
		count += r;
	}
	return count;
}

int verb_import(struct cli *c, struct err *err)
{
	struct import i = { .run.cli = c, .fd = -1, .run.files.root = -1 };
	i.into = args_option(c->args, "into");
	int code = EXIT_DONE;
	int r = identify_any(&i, c->args->words[0], err);
	if (r == 0 && i.run.folder && find_list(&i, err) < 0)
		r = -1;
	if (r == 0 && folder_options(&i, err) < 0)
		r = EXIT_USAGE;
	int splits = r == 0 && i.run.folder ? import_splits(&i, &code, err) : 0;
	if (splits != 0)
		r = splits < 0 ? -1 : code;
	else if (r == 0)
		r = i.run.folder ? import_folder(&i.run, err) : manifest(&i, err);
	import_done(&i);
	return r;
}
