/* fuzz_gcs_list.c - any bytes as the answer to objects.list. Whatever is believed is in order and within the limits. */
#include "connectors/gcs_list.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_page(void *arg, const struct page *page, struct err *err)
{
	struct slice before = page->after;
	(void)arg;
	(void)err;
	for (size_t i = 0; i < page->count; i++) {
		const struct entry *e = &page->entries[i];
		if (slice_cmp(e->name, before) <= 0 || e->name.len > BUCKET_KEY_MAX || e->version.len == 0 ||
			e->version.len > VERSION_TOKEN_MAX)
			abort();
		before = e->name;
	}
	if (slice_cmp(page->upto, before) < 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "b", prefix[] = "p", txt[] = "*.txt";
	static char *include[] = { NULL }, *exclude[] = { txt, NULL };
	struct bucket_config config = { .bucket = name, .prefix = size % 2 ? prefix : NULL, .include = include, .exclude = exclude };
	struct buf token = { 0 };
	struct bucket bucket;
	struct bucket_page page;
	struct err err;
	bucket_init(&bucket, "gs", &config);
	bucket_page_init(&page, &bucket, SLICE_LIT(""));
	if (gcs_list_parse((struct slice){ (const char *)data, size }, SLICE_LIT("pk"), &page, &token, &err) == 0)
		(void)bucket_page_emit(&page, buf_slice(&page.last), true, check_page, NULL, &err);
	bucket_page_done(&page);
	bucket_done(&bucket);
	buf_done(&token);
	return 0;
}
