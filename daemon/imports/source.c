/* source.c - a manifest that a source found, read here and imported. */
#include "daemon/imports/source.h"

#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/imports/import.h"
#include "daemon/imports/internal.h"
#include "daemon/imports/list.h"
#include "daemon/sender/sender.h"
#include "daemon/sender/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (64U << 10) /* of an upload, from hand to hand */
#define NAME_BYTES_MAX 400

/* --- one manifest --- */

struct reading {
	struct imports *imports;
	const struct import_source_list *list;
	const struct source_config *c; /* list's */
	struct slice key;            /* list's */
	char *name, *file;           /* of the import; where the manifest is */
	struct import_files files;   /* of a folder */
	struct import_sender sender;
	struct buf url;              /* of the row at hand, in a bucket */
	struct import_source_end *end;
};

static void reading_done(struct reading *r)
{
	sender_done(&r->sender);
	import_files_close(&r->files);
	buf_done(&r->url);
	free(r->name);
	free(r->file);
}

static ssize_t read_manifest(void *arg, void *p, size_t n, struct err *err)
{
	const struct reading *r = arg;
	ssize_t got = read(r->list->fd, p, n);
	account_step(r->imports->account);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read back the manifest") : got;
}

static int seek_manifest(void *arg, uint64_t offset, struct err *err)
{
	const struct reading *r = arg;
	return lseek(r->list->fd, (off_t)offset, SEEK_SET) < 0 ? err_set(err, ERR_RETRY, errno, "seek in the manifest") : 0;
}

static int hand_rows(struct reading *r, uint64_t pass, import_give_fn *give, void *from, struct json *j, struct err *err)
{
	CLEANUP(freep) char *piece = mem_alloc(PIECE);
	struct import_upload *u = import_upload_new(r->imports, pass);
	ssize_t n;
	while ((n = give(from, piece, PIECE, err)) > 0)
		import_take(u, (struct slice){ piece, (size_t)n });
	if (n == 0)
		return import_finish(u, j, err);
	import_drop(u);
	return -1;
}

/* What the client sends over a socket goes from hand to hand here. */
static int hand_over(void *arg, uint64_t pass, import_give_fn *give, void *from, json_t **ret, struct err *err)
{
	struct reading *r = arg;
	CLEANUP(buf_done) struct buf answer = { 0 };
	struct json j = { .to = &answer };
	json_open(&j, NULL, '{');
	if ((give ? hand_rows(r, pass, give, from, &j, err) : import_settle(r->imports, pass, &j, err)) < 0)
		return -1;
	json_close(&j, '}');
	*ret = json_loadb(answer.data, answer.len, 0, NULL);
	return 0;
}

/* --- rows --- */

/* Has the path a part ".." or none between two '/', or begins it with '/'? As a key it would not be beneath the manifest's. */
static bool leads_away(struct slice path)
{
	for (const char *p = path.p, *end = path.p + path.len, *next; p <= end; p = next + 1) {
		next = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;
		next = next ? next : end;
		if (next == p || (next - p == 2 && p[0] == '.' && p[1] == '.'))
			return true;
	}
	return false;
}

/* A path in a manifest of a bucket is a key beneath the manifest's own: its URL. */
static int bucket_row(struct reading *r, struct manifest_row *row)
{
	const char *scheme = source_config_url_scheme(r->c);
	const char *slash = memrchr(r->key.p, '/', r->key.len);
	struct slice path = row->content;
	while (path.len > 2 && memcmp(path.p, "./", 2) == 0)
		path = (struct slice){ path.p + 2, path.len - 2 };
	if (leads_away(path))
		return -1;
	r->url.len = 0;
	buf_printf(&r->url, "%s://%s/", scheme, r->c->bucket.bucket);
	buf_add(&r->url, r->key.p, slash ? (size_t)(slash - r->key.p) + 1 : 0);
	buf_add(&r->url, path.p, path.len);
	row->content_kind = *scheme == 'g' ? ROW_GS : ROW_S3;
	row->content = buf_slice(&r->url);
	return 0;
}

static int one_row(struct reading *r, struct manifest *m, struct manifest_row *row, struct err *err)
{
	if (!source_config_is_bucket(r->c) || row->content_kind != ROW_PATH || bucket_row(r, row) == 0)
		return sender_row(&r->sender, m, row, err);
	const struct manifest_failure f = { .at = row->at, .class = ERR_REJECT, .raw = row->raw,
		.reason = SLICE_LIT("the path names no key beneath the manifest's own"),
		.cure = SLICE_LIT("write it relative to the manifest, or as s3://BUCKET/KEY or gs://BUCKET/KEY of a configured source") };
	return sender_failure(&r->sender, m, &f, err);
}

static int all_rows(struct reading *r, struct manifest *m, struct err *err)
{
	struct manifest_row row;
	struct manifest_failure failure;
	struct err later;
	int more;
	while ((more = manifest_next(m, &row, &failure, err)) > 0) {
		if (account_stopping(r->imports->account))
			return err_set(err, ERR_RETRY, ECANCELED, "stopping");
		r->end->rows++;
		if ((more == 1 ? one_row(r, m, &row, err) : sender_failure(&r->sender, m, &failure, err)) < 0)
			return -1;
	}
	int sent = sender_flush(&r->sender, more < 0 ? &later : err); /* what was read before it broke stays read */
	return more < 0 ? -1 : sent;
}

/* --- from its name to its end --- */

static int identify(struct reading *r, struct err *err)
{
	CLEANUP(buf_done) struct buf name = { 0 };
	buf_printf(&name, "%s/", r->c->name);
	buf_add(&name, r->key.p, r->key.len);
	if (name.len > NAME_BYTES_MAX || !text_is_utf8(r->key) || memchr(r->key.p, '\0', r->key.len))
		return err_set(err, ERR_REJECT, 0, "its name is longer than %zu bytes or is no UTF-8: no import can be called so",
			NAME_BYTES_MAX - strlen(r->c->name) - 1);
	r->name = buf_take(&name);
	const char *key = r->name + strlen(r->c->name) + 1;
	r->file = !source_config_is_bucket(r->c) ? mem_printf("%s/%s", r->c->folder.path, key) :
		mem_printf("%s://%s/%s", source_config_url_scheme(r->c), r->c->bucket.bucket, key);
	return 0;
}

static int open_files(struct reading *r, struct err *err)
{
	if (source_config_is_bucket(r->c))
		return 0;
	CLEANUP(freep) char *beside = mem_strdup(r->file);
	return import_files_open_all(r->c->manifest->roots, dirname(beside), r->imports->config->state_dir, &r->files, err);
}

static int begin(struct reading *r, const struct manifest *m, struct err *err)
{
	struct slice header = { 0 };
	struct import_begin b = { .name = slice_of(r->name), .file = slice_of(r->file), .own = true,
		.format = slice_of(manifest_format_name(manifest_format(m))) };
	if (manifest_header(m, &header) == 0 && text_is_utf8(header))
		b.header = header;
	return import_begin(r->imports, &b, &r->sender.pass, &r->end->import, NULL, err);
}

static int finish(struct reading *r, const struct manifest *m, struct err *err)
{
	struct import_counts counts;
	bool again = r->sender.waiting > 0;
	struct import_close close = { .rows = r->end->rows, .failed = r->sender.failed, .attributes = manifest_attributes(m),
		.again = again, .also = again ? NULL : r->list->known, .also_arg = r->list->known_arg };
	if (import_end(r->imports, r->sender.pass, &close, &counts, err) < 0)
		return -1;
	r->end->failed = r->sender.failed;
	r->end->waiting = r->sender.waiting;
	r->end->written = counts.written;
	r->end->vanished = counts.vanished;
	return 0;
}

/* A text beside the lists that is no list itself is a text like any other: rows may name it. */
static bool just_a_text(const struct reading *r, const struct err *err)
{
	return err->class == ERR_REJECT && !r->c->manifest->names[0] && import_list_is_text(r->key);
}

static int read_all(struct reading *r, struct err *err)
{
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	struct manifest_columns columns = { .loose = true };
	struct manifest_options o = { .format = r->c->manifest->format, .input = r->c->manifest->input, .columns = &columns,
		.field_max = (size_t)r->imports->config->import.field_bytes, .seek = seek_manifest, .spool = -1 };
	if (open_files(r, err) < 0)
		return -1;
	for (enum manifest_role role = 0; role < MANIFEST_ROLES; role++)
		columns.of[role] = r->c->manifest->columns.of[role];
	struct manifest_tree tree = import_tree(&r->files);
	o.tree = source_config_is_bucket(r->c) ? NULL : &tree;
	o.name = r->file;
	if (lseek(r->list->fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_RETRY, errno, "read back the manifest");
	if (large_create(r->imports->store, 0, &o.spool, err) < 0) /* the reader's from here on */
		return -1;
	if (manifest_open(&o, read_manifest, r, &m, err) < 0)
		return just_a_text(r, err) ? 0 : -1;
	r->sender.hand = hand_over;
	r->sender.arg = r;
	r->sender.files = &r->files;
	r->sender.later = true;
	r->sender.bytes_max = r->imports->config->limits.object_bytes;
	return begin(r, m, err) < 0 || all_rows(r, m, err) < 0 ? -1 : finish(r, m, err);
}

int import_source_run(struct imports *imports, const struct import_source_list *list, struct import_source_end *ret, struct err *err)
{
	struct reading r = { .imports = imports, .list = list, .c = list->source, .key = list->key, .files = { .root = -1 }, .end = ret };
	*ret = (struct import_source_end){ 0 };
	int ok = identify(&r, err), no = IMPORT_NO_NAME;
	if (ok == 0) {
		ok = read_all(&r, err);
		no = IMPORT_NO_MANIFEST;
	}
	if (ok < 0 && err->class == ERR_REJECT)
		err->sys = no;
	CLEANUP(buf_done) struct buf shown = { 0 };
	text_printable(&shown, list->key);
	if (ok == 0 && ret->import && (ret->written || ret->failed || ret->vanished))
		LOG_INFO(LOG_SOURCE, "source '%s': %s: %llu row%s, %llu new or changed, %llu failed, import %llu", list->source->name, shown.data,
			(unsigned long long)ret->rows, text_s(ret->rows), (unsigned long long)ret->written, (unsigned long long)ret->failed,
			(unsigned long long)ret->import);
	reading_done(&r);
	return ok;
}
