/* fuzz_manifest.c - any bytes as a manifest of the format that the first byte chooses (0: recognised), read in pieces; a
 * second reader goes on where the first was left in the middle, and must give the same rest. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/manifest/dom.h"
#include "daemon/manifest/manifest.h"
#include "daemon/model/import_body.h"
#include "daemon/sender/group.h"
#include "tests/fuzz/feed.h"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What it says, the store takes. */
static void check_kept(const struct manifest_row *row)
{
	CLEANUP(buf_done) struct buf body = { 0 }, kept = { 0 };
	struct err err = { 0 };
	row_body(row, row_content_name(row->content_kind), &body);
	assert(import_body_write(buf_slice(&body), &kept, &err) == 0);
}

static void check_failure(struct manifest *m, const struct manifest_failure *f)
{
	CLEANUP(buf_done) struct buf failed = { 0 }, kept = { 0 };
	struct err err = { 0 };
	failed_row(m, f, &failed);
	assert(import_failure_write(buf_slice(&failed), &kept, &err) == 0 && kept.len <= IMPORT_FAILURE_MAX);
}

/* What a row promises: UTF-8, and geometry that is a JSON object. */
static void check(const struct manifest_row *row)
{
	struct dom dom = { 0 };
	struct dom_error e;
	assert(row->content_kind && row->identity_kind && text_is_utf8(row->content) && text_is_utf8(row->identity) && text_is_utf8(row->unreadable));
	assert(!row->metadata.len || dom_parse(&dom, row->metadata, &e) == 0);
	for (size_t i = 0; i < row->label_count; i++) {
		const struct manifest_label *l = &row->labels[i];
		assert(text_is_utf8(l->concept) && text_is_utf8(l->worker));
		assert(!l->geometry.len || (dom_parse(&dom, l->geometry, &e) == 0 && dom_root(&dom)->kind == NODE_OBJECT));
		assert(!l->attributes.len || (dom_parse(&dom, l->attributes, &e) == 0 && dom_root(&dom)->kind == NODE_OBJECT));
	}
	dom_done(&dom);
	check_kept(row);
}

/* Rows from `from` on: how many, with a sum over what they say; *ret_middle is the point behind row `stop`. */
static uint64_t read_rows(const uint8_t *data, size_t size, size_t piece, struct manifest_options *o, uint64_t stop,
	struct manifest_point *ret_middle, uint64_t *ret_sum)
{
	struct feed f = { data, size, piece };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	struct err err = { 0 };
	uint64_t rows = 0;
	*ret_sum = 0;
	o->spool = memfd_create("spool", MFD_CLOEXEC);
	if (manifest_open(o, feed_read, &f, &m, &err) < 0)
		return 0;
	for (int got; (got = manifest_next(m, &row, &failure, &err)) > 0;) {
		rows++;
		if (ret_middle && rows == stop)
			manifest_tell(m, ret_middle);
		if (ret_middle && rows <= stop)
			continue;
		*ret_sum = *ret_sum * 31 + (got == 1 ? row.at.offset + row.label_count : failure.at.offset);
		if (got == 1)
			check(&row);
		else
			check_failure(m, &failure);
	}
	manifest_close(m);
	return rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct manifest_options o = { .format = (enum manifest_format)(data[0] % MANIFEST_FORMATS), .name = "in/a.json",
		.field_max = 4096, .record_max = 16384, .text_max = 1U << 20 };
	size_t piece = data[1] ? data[1] : SIZE_MAX;
	struct manifest_point middle = { 0 };
	uint64_t rest = 0;
	uint64_t again = 0;
	uint64_t stop = 1 + data[1] % 3;
	uint64_t rows = read_rows(data + 2, size - 2, piece, &o, stop, &middle, &rest);
	if (rows < stop)
		return 0;
	o.from = middle;
	uint64_t more = read_rows(data + 2, size - 2, SIZE_MAX, &o, 0, NULL, &again);
	assert(more == rows - stop && again == rest);
	return 0;
}
