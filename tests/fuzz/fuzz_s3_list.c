/* fuzz_s3_list.c - any bytes as a page of a listing, in pieces and at once: both ways end the same, and keys lie inside the text. */
#include "connectors/s3_list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_page(struct s3_list *l, struct slice text, size_t n)
{
	struct err err = { 0 };
	s3_list_init(l);
	for (size_t i = 0; i < text.len; i += n) {
		if (s3_list_add(l, (struct slice){ text.p + i, text.len - i < n ? text.len - i : n }, &err) < 0) {
			if (err.class != ERR_RETRY)
				abort();
			return -1;
		}
	}
	return s3_list_end(l, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct s3_list once, pieces;
	int whole = read_page(&once, text, size + 1);
	if (read_page(&pieces, text, 3) != whole || once.count != pieces.count || once.truncated != pieces.truncated)
		abort();
	for (size_t i = 0; whole == 0 && i < once.count; i++) {
		struct slice key = s3_list_key(&once, i), etag = s3_list_etag(&once, i);
		if (!slice_eq(key, s3_list_key(&pieces, i)) || once.keys[i].key_at + key.len > once.text.len ||
			once.keys[i].etag_at + etag.len > once.text.len)
			abort();
	}
	s3_list_done(&once);
	s3_list_done(&pieces);
	return 0;
}
