/* sender.c - groups of rows into frames, frames into uploads. */
#include "daemon/sender/sender.h"

#include "connectors/folder_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/model/import_body.h"
#include "daemon/sender/group.h"
#include "daemon/sender/payload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FRAMES_MAX 1000
#define FRAMES_BYTES (4U << 20)
#define ROWS_BYTES (8U << 20)  /* of the rows of one upload, which are kept until it is answered */
#define SMALL_BYTES (8U << 20) /* a larger file is an upload of its own, read while it is sent */

/* --- answers --- */

static int not_ours(struct err *err)
{
	return err_set(err, ERR_RETRY, 0, "inletd speaks of a row that was not sent; are inlet and inletd of one version?");
}

static struct slice text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return slice_of(text ? text : "");
}

static uint64_t number_of(const json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));
	return n > 0 ? (uint64_t)n : 0;
}

/* Rows that inletd does not take, for they contradict others: it is told what they were, with the next frames. What is durable needs
 * no telling. */
static int take_landed(struct import_sender *s, const json_t *answer, struct err *err)
{
	const json_t *refusal;
	size_t i;
	json_array_foreach(json_object_get(answer, "refused"), i, refusal)
	{
		struct import_group *g = sent_take(&s->rows, json_object_get(refusal, "frame"));
		if (!g)
			return not_ours(err);
		uint64_t n = group_failed(g, text_of(refusal, "reason"), text_of(refusal, "cure"), false, &s->frames.text);
		frames_note(&s->frames, NULL, n);
		s->failed += n;
		group_free(g);
	}
	sent_forget(&s->rows, number_of(answer, "durable"));
	return 0;
}

static int settle(struct import_sender *s, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	return s->hand(s->arg, s->pass, NULL, NULL, &answer, err) < 0 ? -1 : take_landed(s, answer, err);
}

/* The rows of offered files whose bytes are asked for. */
static int take_wanted(struct import_sender *s, const json_t *answer, struct sender_frames *ret, struct err *err)
{
	const json_t *n;
	size_t i;
	json_array_foreach(json_object_get(answer, "wanted"), i, n)
	{
		struct import_group *g = sent_take(&s->rows, n);
		if (!g)
			return not_ours(err);
		frames_note(ret, g, 1);
	}
	return 0;
}

/* f is empty then. wanted NULL: nothing was offered. */
static int upload(struct import_sender *s, struct payload *p, struct sender_frames *f, struct sender_frames *wanted, struct err *err)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	uint64_t files = f->files, bytes = f->file_bytes;
	size_t offers = f->offers;
	if (s->hand(s->arg, s->pass, payload_give, p, &answer, err) < 0)
		return -1;
	uint64_t known = number_of(answer, "known");
	s->sent += files - known;
	s->sent_bytes += bytes - number_of(answer, "known_bytes");
	sent_add(&s->rows, f);
	if (wanted && take_wanted(s, answer, wanted, err) < 0)
		return -1;
	s->direct = known == 0 && (offers ? wanted && wanted->count == offers : s->direct);
	return take_landed(s, answer, err);
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

/* stale: of what is there already the bytes are not those of now. */
static void url_frame(const struct import_group *g, bool stale, struct buf *to)
{
	size_t start = to->len;
	CLEANUP(buf_done) struct buf body = { 0 }, origin = { 0 };
	struct json j = { .to = to };
	group_body(g, &body);
	group_origin(g, &origin);
	json_open(&j, NULL, '{');
	json_u64(&j, "line", g->at.line);
	json_bytes(&j, "key", buf_slice(&g->key));
	json_raw(&j, "body", buf_slice(&body));
	json_raw(&j, "origin", buf_slice(&origin));
	if (stale)
		json_bool(&j, "stale", true);
	json_close(&j, '}');
	frame_end(to, start);
}

/* Frees g, whose rows fail with the next frames. */
static void group_cannot(struct import_sender *s, struct import_group *g, const struct err *err, const char *cure)
{
	bool retry = err->class == ERR_RETRY;
	uint64_t n = group_failed(g, slice_of(err->text), slice_of(cure), retry, &s->frames.text);
	frames_note(&s->frames, NULL, n);
	s->failed += n;
	group_free(g);
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

/* A file that cannot be had now, of those that are looked for again. */
static bool is_had_later(const struct import_sender *s, const struct import_group *g, const struct err *why)
{
	return s->later && g->at.line > 0 && why->class == ERR_RETRY;
}

/* Takes g over. */
static void have_later(struct import_sender *s, struct import_group *g, bool stale)
{
	group_await(g);
	url_frame(g, stale, &s->frames.text);
	frames_note(&s->frames, g, 1);
}

/* A file of a folder that has just gone is no failure, for nobody named it. Takes g over. */
static void file_failed(struct import_sender *s, struct import_group *g, const struct err *why, const char *cure)
{
	bool gone = g->at.line == 0 && why->sys == ENOENT;
	s->vanished += gone;
	if (gone)
		group_free(g);
	else if (is_had_later(s, g, why))
		have_later(s, g, false);
	else
		group_cannot(s, g, why, cure);
}

/* Did a file of a folder go while it was read? To its reader that looks like a change. */
static bool has_gone(const struct import_sender *s, const struct import_group *g)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err why;
	return g->at.line == 0 && import_files_get(s->files, buf_slice(&g->content), &fd, &st, &cure, &why) < 0 && why.sys == ENOENT;
}

/* Takes g over, whose file was opened and then could not be read as it was. */
static void file_lost(struct import_sender *s, struct import_group *g, const struct err *why)
{
	if (has_gone(s, g)) {
		s->vanished++;
		group_free(g);
		return;
	}
	if (is_had_later(s, g, why))
		have_later(s, g, true);
	else
		group_cannot(s, g, why, why->sys ? "see what is wrong with the disk or share that it lies on, and import again" :
			"import again when nobody writes to it");
}

/* A file that is read whole before it is sent. Takes g over; one that changed meanwhile or cannot be read fails. */
static void small_file(struct import_sender *s, struct import_group *g, int fd, const struct stat *st, struct sender_frames *to)
{
	size_t start = to->text.len, n = (size_t)st->st_size;
	struct err why;
	row_frame(g, st, true, &to->text);
	if (payload_read(fd, st, buf_grow(&to->text, n + 1), &why) < 0) {
		to->text.len = start;
		file_lost(s, g, &why);
		return;
	}
	to->text.len += n;
	to->files++;
	to->file_bytes += n;
	frames_note(to, g, 1);
}

/* Takes g over, which fails where the file cannot be read as it was. */
static int large_file(struct import_sender *s, struct import_group *g, int fd, const struct stat *st, struct err *err)
{
	CLEANUP(frames_done) struct sender_frames frame = { .files = 1, .file_bytes = (uint64_t)st->st_size };
	row_frame(g, st, true, &frame.text);
	frames_note(&frame, g, 1);
	struct payload p = { .frames = buf_slice(&frame.text), .fd = fd, .left = (uint64_t)st->st_size, .then = st };
	if (upload(s, &p, &frame, NULL, err) == 0)
		return 0;
	if (!p.why.class)
		return -1;
	frame.count = 0;
	file_lost(s, g, &p.why);
	return 0;
}

static int send_files(struct import_sender *s, struct sender_frames *files, struct err *err)
{
	struct payload p = { .frames = buf_slice(&files->text), .fd = -1 };
	return files->count ? upload(s, &p, files, NULL, err) : 0;
}

/* Takes g over. */
static int send_wanted(struct import_sender *s, struct import_group *g, struct sender_frames *files, struct err *err)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err why;
	if (open_file(s, g, &fd, &st, &cure, &why) < 0) {
		file_failed(s, g, &why, cure);
		return 0;
	}
	if (st.st_size > SMALL_BYTES)
		return large_file(s, g, fd, &st, err);
	small_file(s, g, fd, &st, files);
	return files->text.len >= SMALL_BYTES ? send_files(s, files, err) : 0;
}

/* The frames so far and the files that the answer asks for. What became of rows that cannot be used is in the next frames then. */
static int send_frames(struct import_sender *s, struct err *err)
{
	CLEANUP(frames_done) struct sender_frames wanted = { 0 }, files = { 0 };
	struct payload p = { .frames = buf_slice(&s->frames.text), .fd = -1 };
	if (s->frames.count == 0)
		return 0;
	if (upload(s, &p, &s->frames, &wanted, err) < 0)
		return -1;
	for (size_t i = 0; i < wanted.count; i++)
		if (send_wanted(s, TAKE_PTR(wanted.rows[i]), &files, err) < 0)
			return -1;
	if (send_files(s, &files, err) < 0)
		return -1;
	return s->rows.held > ROWS_BYTES ? settle(s, err) : 0;
}

/* --- rows --- */

static int send_full(struct import_sender *s, struct err *err)
{
	const struct sender_frames *f = &s->frames;
	bool full = f->count >= FRAMES_MAX || f->text.len >= FRAMES_BYTES || f->held >= ROWS_BYTES;
	return full ? send_frames(s, err) : 0;
}

/* Takes g over: offers the file, or puts it whole into the frames. */
static void add_file(struct import_sender *s, struct import_group *g)
{
	CLEANUP(close_fdp) int fd = -1;
	struct stat st;
	const char *cure;
	struct err why;
	if (open_file(s, g, &fd, &st, &cure, &why) < 0) {
		file_failed(s, g, &why, cure);
	} else if (s->direct && st.st_size <= SMALL_BYTES) {
		small_file(s, g, fd, &st, &s->frames);
	} else {
		row_frame(g, &st, false, &s->frames.text);
		s->frames.offers++;
		frames_note(&s->frames, g, 1);
	}
}

/* A row that says more than can be kept fails; takes g over then. */
static bool refuse_long(struct import_sender *s, struct import_group *g)
{
	struct err why;
	const char *cure = "give its labels in several rows of one id, or shorten the metadata";
	if (group_too_long(g)) {
		(void)err_set(&why, ERR_REJECT, 0, "its path, labels and metadata are longer than %u bytes", IMPORT_BODY_MAX);
	} else if (g->origin.len > IMPORT_FAILURE_MAX) {
		(void)err_set(&why, ERR_REJECT, 0, "the URL is longer than can be kept");
		cure = "give the file itself, or a shorter URL";
	} else {
		return false;
	}
	group_cannot(s, g, &why, cure);
	return true;
}

static int group_end(struct import_sender *s, struct err *err)
{
	struct import_group *g = s->group;
	if (!g)
		return 0;
	if (refuse_long(s, g)) {
		s->group = NULL;
		return send_full(s, err);
	}
	if (frames_offer_other(&s->frames, g) && send_frames(s, err) < 0)
		return -1;
	s->group = NULL;
	switch (g->kind) {
	case ROW_PATH:
		add_file(s, g);
		break;
	case ROW_TEXT:
		row_frame(g, NULL, true, &s->frames.text);
		buf_add(&s->frames.text, g->content.data, g->content.len);
		s->frames.files++;
		s->frames.file_bytes += g->content.len;
		frames_note(&s->frames, g, 1);
		break;
	case ROW_URL:
	case ROW_S3:
	case ROW_GS:
		url_frame(g, false, &s->frames.text);
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

int sender_told(struct import_sender *s, uint64_t line, struct err *err)
{
	struct json j = { .to = &s->frames.text };
	json_open(&j, NULL, '{');
	json_u64(&j, "line", line);
	json_bool(&j, "mended", true);
	json_close(&j, '}');
	buf_char(&s->frames.text, '\n');
	frames_note(&s->frames, NULL, 1);
	return send_full(s, err);
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
	s->waiting += f->folder && f->class == ERR_RETRY;
	return send_full(s, err);
}

int sender_file(struct import_sender *s, const struct manifest_row *row, struct err *err)
{
	struct import_group *g = group_of_file(row);
	if (!refuse_long(s, g))
		add_file(s, g);
	return send_full(s, err);
}

int sender_file_failed(struct import_sender *s, const struct manifest_row *row, const struct err *why, const char *cure,
	struct err *err)
{
	group_cannot(s, group_of_file(row), why, cure);
	return send_full(s, err);
}

int sender_push(struct import_sender *s, struct err *err)
{
	if (group_end(s, err) < 0)
		return -1;
	while (s->frames.count > 0)
		if (send_frames(s, err) < 0)
			return -1;
	return 0;
}

uint64_t sender_taken(const struct import_sender *s)
{
	return s->rows.first + s->rows.count;
}

uint64_t sender_durable(const struct import_sender *s)
{
	return s->rows.first;
}

int sender_flush(struct import_sender *s, struct err *err)
{
	int r = sender_push(s, err);
	while (r == 0 && s->rows.count > 0) {
		r = settle(s, err);
		if (r == 0)
			r = sender_push(s, err);
	}
	return r;
}

void sender_done(struct import_sender *s)
{
	group_free(TAKE_PTR(s->group));
	frames_done(&s->frames);
	sent_done(&s->rows);
}
