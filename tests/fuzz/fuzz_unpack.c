/* fuzz_unpack.c - any bytes as a stored text: gzip, zstd, UTF-16, within its limit. */
#include "daemon/manifest/window.h"
#include "tests/fuzz/feed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct feed f = { data + 1, size - 1, data[0] ? data[0] : SIZE_MAX };
	struct window w;
	struct err err = { 0 };
	int more = window_init(&w, unpack_new(feed_read, &f, 1U << 20), &err) < 0 ? -1 : 1;
	while (more > 0) {
		w.at = w.end;
		more = window_more(&w, &err);
		assert(window_offset(&w) <= 3U << 20);
	}
	assert(more == 0 || err.class == ERR_REJECT);
	window_done(&w);
	return 0;
}
