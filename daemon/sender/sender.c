/* sender.c - groups of rows into frames, frames into uploads. */
#include "daemon/sender/sender.h"

#include "connectors/folder_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/crc.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/sender/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FRAMES_MAX 1000
#define FRAMES_BYTES (4U << 20)
#define ROWS_BYTES (8U << 20)  /* of the rows of one upload, which are kept until it is answered */
#define SMALL_BYTES (8U << 20) /* a larger file is an upload of its own, read while it is sent */

/* --- frames --- */

static uint32_t mark_of(const struct import_group *g)
{
	return crc32c_add(0, g->key.data, g->key.len);
}

/* Notes n frames that were put into f->text; g: whose they are, NULL: they say that rows failed. */
static void frames_note(struct sender_frames *f, struct import_group *g, uint64_t n)
{
	while (f->count + n > f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->rows = mem_resize(f->rows, f->cap, sizeof(struct import_group *));
		f->marks = mem_resize(f->marks, f->cap, sizeof(*f->marks));
	}
	for (; n > 0; n--) {
		f->marks[f->count] = g ? mark_of(g) : 0;
		f->rows[f->count++] = g;
	}
	f->held += g ? group_bytes(g) : 0;
	f->offers += g && g->kind == ROW_PATH;
}

/* Is an offered file among them that has g's key, and other bytes? */
static bool frames_offer_other(const struct sender_frames *f, const struct import_group *g)
{
	uint32_t mark = f->offers ? mark_of(g) : 0;
	for (size_t i = 0; f->offers && i < f->count; i++)
		if (f->marks[i] == mark && f->rows[i] && f->rows[i]->kind == ROW_PATH && !group_same_content(f->rows[i], g) &&
			slice_eq(buf_slice(&f->rows[i]->key), buf_slice(&g->key)))
			return true;
	return false;
}

static void frames_clear(struct sender_frames *f)
{
	f->text.len = 0;
	f->count = f->held = f->offers = 0;
}

static void frames_done(struct sender_frames *f)
{
	buf_done(&f->text);
	free(f->rows);
	free(f->marks);
	*f = (struct sender_frames){ 0 };
}

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

static int not_ours(struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "inletd speaks of a row that was not sent; are inlet and inletd of one version?");
}

static struct slice text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return slice_of(text ? text : "");
}

/* Rows that inletd does not take, for they contradict others: it is told what they were. */
static int take_refused(struct import_sender *s, const json_t *answer, const struct sender_frames *sent, struct buf *failed,
	struct err *err)
{
	const json_t *refusal;
	size_t i;
	json_array_foreach(json_object_get(answer, "refused"), i, refusal)
	{
		json_int_t at = json_integer_value(json_object_get(refusal, "frame"));
		if (at < 0 || (size_t)at >= sent->count || !sent->rows[at])
			return not_ours(err);
		s->failed += group_failed(sent->rows[at], text_of(refusal, "reason"), text_of(refusal, "cure"), false, failed);
	}
	return 0;
}

/* failed: gets the frames of rows that are refused. ret NULL: nothing was offered. */
static int upload(struct import_sender *s, struct upload *u, const struct sender_frames *sent, struct buf *failed, json_t **ret,
	struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	if (s->hand(s->arg, s->pass, give, u, &answer, err) < 0 || take_refused(s, answer, sent, failed, err) < 0)
		return -1;
	if (ret)
		*ret = TAKE_PTR(answer);
	return 0;
}

/* --- frames of rows --- */

static void row_frame(const struct import_group *g, const struct stat *st, bool payload, struct buf *to)
{
	char version[VERSION_TEXT_MAX];
	size_t start = to->len;
	struct buf body = { 0 };
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	if (g->at.line)
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
	frame_end(to, start);
	buf_done(&body);
}

static void url_frame(const struct import_group *g, struct buf *to)
{
	size_t start = to->len;
	struct buf body = { 0 };
	struct json j = { .to = to };
	group_body(g, &body);
	json_open(&j, NULL, '{');
	json_u64(&j, "line", g->at.line);
	json_bytes(&j, "key", buf_slice(&g->key));
	json_raw(&j, "body", buf_slice(&body));
	json_raw(&j, "origin", buf_slice(&g->origin));
	json_close(&j, '}');
	frame_end(to, start);
	buf_done(&body);
}

static void rows_clear(struct import_sender *s)
{
	for (size_t i = 0; i < s->frames.count; i++)
		group_free(s->frames.rows[i]);
	frames_clear(&s->frames);
}

static uint64_t group_cannot(struct import_sender *s, const struct import_group *g, const struct err *err, const char *cure,
	struct buf *to)
{
	bool retry = err->class == ERR_RETRY;
	uint64_t n = group_failed(g, slice_of(err->text), slice_of(cure), retry, to);
	s->failed += n;
	s->waiting += retry ? n : 0;
	return n;
}

/* --- files --- */

/* 0: *ret_fd and *ret_st are the file; -1: why it is not. */
static int open_file(const struct import_sender *s, const struct import_group *g, int *ret_fd, struct stat *ret_st,
	const char **ret_cure, struct err *ret_why)
{
	CLEANUP(close_fdp) int fd = -1;
	if (import_files_get(s->files, buf_slice(&g->content), &fd, ret_st, ret_cure, ret_why) < 0)
		return -1;
	*ret_cure = "raise limits.object, or leave the file out";
	if ((uint64_t)ret_st->st_size > s->bytes_max)
		return err_set(ret_why, ERR_REJECT, 0, "%" PRIu64 " bytes are more than limits.object allows (%" PRIu64 ")",
			(uint64_t)ret_st->st_size, s->bytes_max);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* How many rows say in *to that they failed: none of a file of a folder that has just gone, for nobody named it. */
static uint64_t file_failed(struct import_sender *s, const struct import_group *g, const struct err *why, const char *cure,
	struct buf *to)
{
	bool gone = g->at.line == 0 && why->sys == ENOENT;
	s->vanished += gone;
	return gone ? 0 : group_cannot(s, g, why, cure, to);
}

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
static bool small_frame(struct import_group *g, const struct wanted_file *f, struct sender_frames *to)
{
	size_t start = to->text.len, n = (size_t)f->st.st_size, got = 0;
	row_frame(g, &f->st, true, &to->text);
	char *at = buf_grow(&to->text, n + 1);
	while (got < n) {
		ssize_t r = read(f->fd, at + got, n - got);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	if (got == n && unchanged(f)) {
		to->text.len += n;
		frames_note(to, g, 1);
		return true;
	}
	to->text.len = start;
	return false;
}

/* 1: sent; 0: the file cannot be read as it was; -1. */
static int large_file(struct import_sender *s, struct import_group *g, const struct wanted_file *f, struct buf *failed,
	struct err *err)
{
	CLEANUP(frames_done) struct sender_frames frame = { 0 };
	row_frame(g, &f->st, true, &frame.text);
	frames_note(&frame, g, 1);
	struct upload u = { buf_slice(&frame.text), f->fd, (uint64_t)f->st.st_size };
	if (upload(s, &u, &frame, failed, NULL, err) == 0)
		return 1;
	return u.left > 0 && err->sys != EINTR && u.frames.len == 0 && err->class == ERR_RETRY && !unchanged(f) ? 0 : -1;
}

static int send_files(struct import_sender *s, struct sender_frames *files, struct buf *failed, struct err *err)
{
	struct upload u = { .frames = buf_slice(&files->text), .fd = -1 };
	int r = files->count ? upload(s, &u, files, failed, NULL, err) : 0;
	frames_clear(files);
	return r;
}

static int send_wanted(struct import_sender *s, struct import_group *g, struct sender_frames *files, struct buf *failed,
	struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct wanted_file f;
	const char *cure;
	struct err why;
	if (open_file(s, g, &fd, &f.st, &cure, &why) < 0) {
		(void)file_failed(s, g, &why, cure, failed);
		return 0;
	}
	f.fd = fd;
	s->sent++;
	s->sent_bytes += (uint64_t)f.st.st_size;
	int sent = f.st.st_size > SMALL_BYTES ? large_file(s, g, &f, failed, err) : small_frame(g, &f, files);
	if (sent < 0)
		return -1;
	if (sent == 0) {
		(void)err_set(&why, ERR_RETRY, 0, "the file '%.200s' changed while it was read", g->content.data);
		(void)group_cannot(s, g, &why, "import again when nobody writes to it", failed);
	}
	return files->text.len >= SMALL_BYTES ? send_files(s, files, failed, err) : 0;
}

static int send_all_wanted(struct import_sender *s, const json_t *answer, struct buf *failed, struct err *err)
{
	CLEANUP(frames_done) struct sender_frames files = { 0 };
	const json_t *n;
	size_t i;
	json_array_foreach(json_object_get(answer, "wanted"), i, n)
	{
		json_int_t at = json_integer_value(n);
		if (at < 0 || (size_t)at >= s->frames.count || !s->frames.rows[at] || s->frames.rows[at]->kind != ROW_PATH)
			return not_ours(err);
		if (send_wanted(s, s->frames.rows[at], &files, failed, err) < 0)
			return -1;
	}
	return send_files(s, &files, failed, err);
}

/* The frames so far, the files that the answer asks for, and what became of rows that cannot be used. */
static int send_frames(struct import_sender *s, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf failed = { 0 };
	struct upload u = { .frames = buf_slice(&s->frames.text), .fd = -1 };
	if (s->frames.count == 0)
		return 0;
	if (upload(s, &u, &s->frames, &failed, &answer, err) < 0 || send_all_wanted(s, answer, &failed, err) < 0)
		return -1;
	rows_clear(s);
	if (failed.len == 0)
		return 0;
	u = (struct upload){ .frames = buf_slice(&failed), .fd = -1 };
	return upload(s, &u, &s->frames, &failed, NULL, err);
}

/* --- rows --- */

static int send_full(struct import_sender *s, struct err *err)
{
	const struct sender_frames *f = &s->frames;
	bool full = f->count >= FRAMES_MAX || f->text.len >= FRAMES_BYTES || f->held >= ROWS_BYTES;
	return full ? send_frames(s, err) : 0;
}

/* Takes g over. */
static void offer_file(struct import_sender *s, struct import_group *g)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err why;
	if (open_file(s, g, &fd, &st, &cure, &why) == 0) {
		row_frame(g, &st, false, &s->frames.text);
		frames_note(&s->frames, g, 1);
		return;
	}
	frames_note(&s->frames, NULL, file_failed(s, g, &why, cure, &s->frames.text));
	group_free(g);
}

static int group_end(struct import_sender *s, struct err *err)
{
	struct import_group *g = s->group;
	if (!g)
		return 0;
	if (frames_offer_other(&s->frames, g) && send_frames(s, err) < 0)
		return -1;
	s->group = NULL;
	switch (g->kind) {
	case ROW_PATH:
		offer_file(s, g);
		break;
	case ROW_TEXT:
		row_frame(g, NULL, true, &s->frames.text);
		buf_add(&s->frames.text, g->content.data, g->content.len);
		s->sent++;
		s->sent_bytes += g->content.len;
		frames_note(&s->frames, g, 1);
		break;
	case ROW_URL:
	case ROW_S3:
	case ROW_GS:
		url_frame(g, &s->frames.text);
		frames_note(&s->frames, g, 1);
		break;
	}
	return send_full(s, err);
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
	failure_frame(f->at.line, buf_slice(&failed), f->reason, f->cure, &s->frames.text);
	frames_note(&s->frames, NULL, 1);
	s->failed++;
	s->waiting += f->class == ERR_RETRY;
	return send_full(s, err);
}

int sender_file(struct import_sender *s, const struct manifest_row *row, struct err *err)
{
	offer_file(s, group_of_file(row));
	return send_full(s, err);
}

int sender_file_failed(struct import_sender *s, const struct manifest_row *row, const struct err *why, const char *cure,
	struct err *err)
{
	struct import_group *g = group_of_file(row);
	frames_note(&s->frames, NULL, group_cannot(s, g, why, cure, &s->frames.text));
	group_free(g);
	return send_full(s, err);
}

int sender_flush(struct import_sender *s, struct err *err)
{
	return group_end(s, err) < 0 ? -1 : send_frames(s, err);
}

void sender_done(struct import_sender *s)
{
	group_free(TAKE_PTR(s->group));
	rows_clear(s);
	frames_done(&s->frames);
}
