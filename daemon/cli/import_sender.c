/* import_sender.c - groups of rows into frames, frames into uploads. */
#include "daemon/cli/import_sender.h"

#include "connectors/folder_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/import_group.h"

#include <errno.h>
#include <inttypes.h>

#define FRAMES_MAX 1000
#define FRAMES_BYTES (4U << 20)
#define SMALL_BYTES (8U << 20) /* a larger file is an upload of its own, read while it is sent */

/* --- uploads --- */

/* Frames, then the bytes of one file where there is one. */
struct upload {
	struct slice frames;
	int fd;              /* -1: none */
	uint64_t left;       /* of the file */
};

static ssize_t give(void *arg, void *p, size_t n, struct err *err)
{
	struct upload *u = arg;
	if (u->frames.len > 0) {
		n = n < u->frames.len ? n : u->frames.len;
		memcpy(p, u->frames.p, n);
		u->frames = (struct slice){ u->frames.p + n, u->frames.len - n };
		return (ssize_t)n;
	}
	if (u->left == 0)
		return 0;
	ssize_t got = read(u->fd, p, n < u->left ? n : (size_t)u->left);
	if (got <= 0) {
		(void)err_set(err, ERR_RETRY, got < 0 ? errno : ESTALE, "read");
		return -1;
	}
	u->left -= (uint64_t)got;
	return got;
}

static int upload(struct import_sender *s, struct upload *u, json_t **ret, struct err *err)
{
	CLEANUP(freep) char *path = mem_printf("/api/v1/import/%" PRIu64 "/rows", s->pass);
	return client_upload(s->client, path, give, u, ret, err);
}

/* --- frames of rows --- */

static void row_frame(const struct import_group *g, const struct stat *st, bool payload, struct buf *to)
{
	char version[VERSION_TEXT_MAX];
	struct buf body = { 0 };
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_u64(&j, "line", g->at.line);
	json_bytes(&j, "key", buf_slice(&g->key));
	if (st) {
		json_bytes(&j, "version", (struct slice){ version, version_format(st, version) });
		if (version_racy(st, clock_wall_ns()))
			json_bool(&j, "racy", true);
	}
	json_u64(&j, "bytes", st ? (uint64_t)st->st_size : g->content.len);
	if (payload)
		json_bool(&j, "payload", true);
	group_body(g, &body);
	json_raw(&j, "body", buf_slice(&body));
	json_close(&j, '}');
	buf_char(to, '\n');
	buf_done(&body);
}

static void url_frame(const struct import_group *g, struct buf *to)
{
	struct buf body = { 0 };
	struct json j = { .to = to };
	group_body(g, &body);
	json_open(&j, NULL, '{');
	json_u64(&j, "line", g->at.line);
	json_bytes(&j, "key", buf_slice(&g->key));
	json_raw(&j, "body", buf_slice(&body));
	json_raw(&j, "origin", buf_slice(&g->origin));
	json_close(&j, '}');
	buf_char(to, '\n');
	buf_done(&body);
}

static void offers_clear(struct import_sender *s)
{
	for (size_t i = 0; i < s->offer_count; i++)
		group_free(s->offers[i]);
	s->offer_count = s->frame_count = 0;
	s->frames.len = 0;
}

/* Its rows have failed: they say so in the frames that are under way. */
static void fail_group(struct import_sender *s, const struct import_group *g, const struct err *err, const char *cure)
{
	uint64_t n = group_failed(g, err, cure, &s->frames);
	s->failed += n;
	s->frame_count += n;
}

/* --- files that are wanted --- */

struct wanted_file {
	int fd;
	struct stat st;
};

static bool unchanged(const struct wanted_file *f)
{
	struct stat now;
	return fstat(f->fd, &now) == 0 && version_same(&f->st, &now);
}

/* A file that is read whole before it is sent. False: it changed meanwhile or cannot be read; the frame is taken back. */
static bool small_frame(const struct import_group *g, const struct wanted_file *f, struct buf *to)
{
	size_t start = to->len, n = (size_t)f->st.st_size, got = 0;
	row_frame(g, &f->st, true, to);
	char *at = buf_grow(to, n + 1);
	while (got < n) {
		ssize_t r = read(f->fd, at + got, n - got);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	if (got == n && unchanged(f)) {
		to->len += n;
		return true;
	}
	to->len = start;
	return false;
}

/* 1: sent; 0: the file cannot be read as it was; -1. */
static int large_file(struct import_sender *s, const struct import_group *g, const struct wanted_file *f, struct err *err)
{
	CLEANUP(buf_done) struct buf frame = { 0 };
	CLEANUP(json_decrefp) json_t *answer = NULL;
	row_frame(g, &f->st, true, &frame);
	struct upload u = { buf_slice(&frame), f->fd, (uint64_t)f->st.st_size };
	if (upload(s, &u, &answer, err) == 0)
		return 1;
	return u.left > 0 && err->sys != EINTR && u.frames.len == 0 && err->class == ERR_RETRY && !unchanged(f) ? 0 : -1;
}

static int send_files(struct import_sender *s, struct buf *files, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct upload u = { .frames = buf_slice(files), .fd = -1 };
	int r = files->len ? upload(s, &u, &answer, err) : 0;
	files->len = 0;
	return r;
}

static int send_wanted(struct import_sender *s, struct import_group *g, struct buf *files, struct buf *failed, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct wanted_file f;
	const char *cure;
	struct err why;
	if (import_files_get(s->files, buf_slice(&g->content), &fd, &f.st, &cure, &why) < 0) {
		s->failed += group_failed(g, &why, cure, failed);
		return 0;
	}
	f.fd = fd;
	s->sent_bytes += (uint64_t)f.st.st_size;
	int sent = f.st.st_size > SMALL_BYTES ? large_file(s, g, &f, err) : small_frame(g, &f, files);
	if (sent < 0)
		return -1;
	if (sent == 0) {
		(void)err_set(&why, ERR_RETRY, 0, "the file '%.200s' changed while it was read", g->content.data);
		s->failed += group_failed(g, &why, "import again when nobody writes to it", failed);
	}
	return files->len >= SMALL_BYTES ? send_files(s, files, err) : 0;
}

/* The frames so far, and the files that the answer asks for. */
static int send_frames(struct import_sender *s, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf files = { 0 };
	CLEANUP(buf_done) struct buf failed = { 0 };
	struct upload u = { .frames = buf_slice(&s->frames), .fd = -1 };
	size_t i;
	json_t *n;
	if (s->frame_count == 0)
		return 0;
	if (upload(s, &u, &answer, err) < 0)
		return -1;
	json_array_foreach(json_object_get(answer, "wanted"), i, n)
	{
		json_int_t at = json_integer_value(n);
		if (at < 0 || (size_t)at >= s->offer_count || !s->offers[at])
			return err_set(err, ERR_RETRY, 0, "inletd asks for a row that was not offered; are inlet and inletd of one version?");
		if (send_wanted(s, s->offers[at], &files, &failed, err) < 0)
			return -1;
	}
	if (send_files(s, &files, err) < 0 || send_files(s, &failed, err) < 0)
		return -1;
	offers_clear(s);
	return 0;
}

/* --- rows --- */

static void keep_offer(struct import_sender *s, struct import_group *g)
{
	if (!s->offers)
		s->offers = mem_zero(FRAMES_MAX + 1, sizeof(struct import_group *));
	while (s->offer_count < s->frame_count)
		s->offers[s->offer_count++] = NULL;
	s->offers[s->offer_count++] = g;
	s->frame_count++;
}

static void offer_file(struct import_sender *s, struct import_group *g)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err err;
	if (import_files_get(s->files, buf_slice(&g->content), &fd, &st, &cure, &err) < 0) {
		fail_group(s, g, &err, cure);
		group_free(g);
		return;
	}
	row_frame(g, &st, false, &s->frames);
	keep_offer(s, g);
}

static int group_end(struct import_sender *s, struct err *err)
{
	struct import_group *g = TAKE_PTR(s->group);
	if (!g)
		return 0;
	switch (g->kind) {
	case ROW_TEXT:
		row_frame(g, NULL, true, &s->frames);
		buf_add(&s->frames, g->content.data, g->content.len);
		s->sent_bytes += g->content.len;
		s->frame_count++;
		group_free(g);
		break;
	case ROW_PATH:
		offer_file(s, g);
		break;
	case ROW_URL:
	case ROW_S3:
	case ROW_GS:
		url_frame(g, &s->frames);
		s->frame_count++;
		group_free(g);
		break;
	}
	return s->frame_count >= FRAMES_MAX || s->frames.len >= FRAMES_BYTES ? send_frames(s, err) : 0;
}

int sender_row(struct import_sender *s, struct manifest *m, const struct manifest_row *row, struct err *err)
{
	if (s->group && group_add(s->group, m, row))
		return 0;
	if (group_end(s, err) < 0)
		return -1;
	s->group = group_new(m, row);
	return 0;
}

int sender_failure(struct import_sender *s, struct manifest *m, const struct manifest_failure *f, struct err *err)
{
	CLEANUP(buf_done) struct buf failed = { 0 };
	if (group_end(s, err) < 0)
		return -1;
	failed_row(m, f, &failed);
	failure_frame(f->at.line, buf_slice(&failed), f->reason, f->cure, &s->frames);
	s->failed++;
	s->frame_count++;
	return s->frame_count >= FRAMES_MAX ? send_frames(s, err) : 0;
}

int sender_flush(struct import_sender *s, struct err *err)
{
	return group_end(s, err) < 0 ? -1 : send_frames(s, err);
}

void sender_done(struct import_sender *s)
{
	group_free(TAKE_PTR(s->group));
	offers_clear(s);
	buf_done(&s->frames);
	free(s->offers);
	s->offers = NULL;
}
