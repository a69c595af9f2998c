/* fixture.h - manifests from memory, read in pieces of any size, and rows as lines of JSON that tests compare. */
#ifndef TESTS_UNIT_MANIFEST_FIXTURE_H
#define TESTS_UNIT_MANIFEST_FIXTURE_H

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/manifest/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>

struct feed {
	struct slice text;
	size_t at, piece;      /* piece: bytes a read gives at most */
	size_t seeks;
};

static inline ssize_t feed_read(void *arg, void *p, size_t n, struct err *err)
{
	struct feed *f = arg;
	(void)err;
	size_t left = f->text.len - f->at;
	n = n < left ? n : left;
	n = n < f->piece ? n : f->piece;
	if (n)
		memcpy(p, f->text.p + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static inline int feed_seek(void *arg, uint64_t offset, struct err *err)
{
	struct feed *f = arg;
	(void)err;
	f->at = (size_t)offset;
	f->seeks++;
	return 0;
}

static inline int new_spool(void)
{
	int fd = memfd_create("spool", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline void dump_label(struct json *j, const struct manifest_label *l)
{
	json_open(j, NULL, '{');
	json_str(j, "concept", l->concept);
	if (l->confidence >= 0)
		json_double(j, "confidence", l->confidence);
	if (l->status != STATUS_SUCCESS)
		json_str(j, "status", slice_of(status_name(l->status)));
	if (l->maker != MAKER_UNKNOWN)
		json_str(j, "maker", slice_of(row_maker_name(l->maker)));
	if (l->worker.len)
		json_str(j, "worker", l->worker);
	if (l->geometry.len)
		json_raw(j, "geometry", l->geometry);
	if (l->attributes.len)
		json_raw(j, "attributes", l->attributes);
	json_close(j, '}');
}

/* {"id":"a","url":"https://…","labels":[…],…}: only what is there. */
static inline void dump_row(const struct manifest_row *r, struct buf *to)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	if (r->identity_kind == ROW_BY_ID || !slice_eq(r->identity, r->content))
		json_str(&j, row_identity_name(r->identity_kind), r->identity);
	json_str(&j, row_content_name(r->content_kind), r->content);
	if (r->media != MEDIA_UNKNOWN && r->content_kind != ROW_TEXT)
		json_str(&j, "media", slice_of(media_name(r->media)));
	if (r->size_bytes)
		json_u64(&j, "size", r->size_bytes);
	if (r->width || r->height) {
		json_u64(&j, "width", r->width);
		json_u64(&j, "height", r->height);
	}
	if (r->checksum.len)
		json_str(&j, "checksum", r->checksum);
	if (r->split)
		json_str(&j, "split", slice_of(row_split_name(r->split)));
	if (r->unreadable.len)
		json_str(&j, "unreadable", r->unreadable);
	if (r->metadata.len)
		json_raw(&j, "metadata", r->metadata);
	if (r->attributes.len)
		json_raw(&j, "attributes", r->attributes);
	if (r->label_count) {
		json_open(&j, "labels", '[');
		for (size_t i = 0; i < r->label_count; i++)
			dump_label(&j, &r->labels[i]);
		json_close(&j, ']');
	}
	for (size_t i = 0; i < r->warning_count; i++)
		json_str(&j, "warning", r->warnings[i]);
	json_close(&j, '}');
}

/* All rows, one a line; failures as "! line:column@offset reason". */
static inline void dump_rows(struct manifest *m, struct buf *to)
{
	struct manifest_row row;
	struct manifest_failure failure;
	struct err err = { 0 };
	for (int got; (got = manifest_next(m, &row, &failure, &err)) != 0;) {
		if (got < 0) {
			buf_printf(to, "!! %s\n", err.text);
			return;
		}
		if (got == 1)
			dump_row(&row, to);
		else
			buf_printf(to, "! %llu:%llu@%llu %.*s", (unsigned long long)failure.at.line,
				(unsigned long long)failure.at.column, (unsigned long long)failure.at.offset,
				(int)failure.reason.len, failure.reason.p);
		buf_char(to, '\n');
	}
}

/* The same rows come out whatever the pieces are in which the text comes. */
static inline void expect_rows_of(struct slice text, const struct manifest_options *o, const char *expected)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 7, 4096 };
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct feed f = { .text = text, .piece = pieces[i] };
		struct manifest_options options = o ? *o : (struct manifest_options){ .spool = -1 };
		CLEANUP(buf_done) struct buf got = { 0 };
		struct manifest *m = NULL;
		struct err err = { 0 };
		options.spool = new_spool();
		if (manifest_open(&options, feed_read, &f, &m, &err) < 0) {
			buf_printf(&got, "!! %s\n", err.text);
		} else {
			buf_str(&got, "");
			dump_rows(m, &got);
			struct slice attributes = manifest_attributes(m);
			if (attributes.len)
				buf_printf(&got, "attributes %.*s\n", (int)attributes.len, attributes.p);
			manifest_close(m);
		}
		assert_string_equal(got.data, expected);
	}
}

/* Leaves the manifest behind each row in turn and goes on with another reader. */
static inline void resume_everywhere(struct slice text, const char *name, bool seek, size_t *ret_seeks)
{
	CLEANUP(buf_done) struct buf whole = { 0 };
	CLEANUP(buf_done) struct buf parts = { 0 };
	struct manifest_point point = { 0 };
	struct manifest_options o = { .spool = new_spool(), .name = name, .seek = seek ? feed_seek : NULL };
	struct feed f = { .text = text, .piece = 5 };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
	dump_rows(m, &whole);
	manifest_close(m);
	for (uint64_t n = 0;; n++) {
		o.from = point;
		o.spool = new_spool();
		f = (struct feed){ .text = text, .piece = 5, .seeks = f.seeks };
		assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
		int got = manifest_next(m, &row, &failure, NULL);
		assert_true(got >= 0);
		if (got == 1)
			dump_row(&row, &parts);
		else if (got == 2)
			buf_printf(&parts, "! %llu:%llu@%llu %.*s", (unsigned long long)failure.at.line,
				(unsigned long long)failure.at.column, (unsigned long long)failure.at.offset,
				(int)failure.reason.len, failure.reason.p);
		manifest_tell(m, &point);
		manifest_close(m);
		if (got == 0)
			break;
		buf_char(&parts, '\n');
		assert_int_equal(point.rows, n + 1);
	}
	assert_string_equal(parts.data, whole.data);
	if (ret_seeks)
		*ret_seeks = f.seeks;
}

#define EXPECT(text, expected) expect_rows_of(SLICE_LIT(text), NULL, expected)

#endif
