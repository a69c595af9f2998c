/* fuzz_csv.c - any bytes as CSV, in pieces of two sizes: the same records come out. */
#include "daemon/base/cleanup.h"
#include "daemon/manifest/csv.h"
#include "tests/fuzz/feed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void records(const uint8_t *data, size_t size, size_t piece, struct buf *to)
{
	struct feed f = { data, size, piece };
	struct window w;
	struct csv c;
	struct csv_record r;
	struct err err = { 0 };
	buf_str(to, "");
	if (window_init(&w, unpack_new(feed_read, &f, 1U << 20), &err) == 0) {
		csv_init(&c, &w, ',', 64, 256);
		for (int got; (got = csv_next(&c, &r, &err)) > 0;) {
			struct manifest_place at = got == CSV_BAD ? r.bad_at : r.at;
			buf_printf(to, "%d %llu:%llu@%llu", got, (unsigned long long)at.line, (unsigned long long)at.column,
				(unsigned long long)at.offset);
			assert(at.line > 0 && at.column > 0);
			for (size_t i = 0; got == CSV_RECORD && i < r.count; i++) {
				buf_char(to, '|');
				buf_add(to, r.fields[i].p, r.fields[i].len);
			}
			buf_char(to, '\n');
		}
		csv_done(&c);
	}
	window_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf whole = { 0 };
	CLEANUP(buf_done) struct buf parts = { 0 };
	if (size < 1)
		return 0;
	records(data + 1, size - 1, SIZE_MAX, &whole);
	records(data + 1, size - 1, 1 + data[0] % 80, &parts);
	assert(slice_eq(buf_slice(&whole), buf_slice(&parts)));
	return 0;
}
