/* fuzz_ngram.c - the bytes up to the size that the header states are a table, the rest is a text that is read with it.
 */
#include "daemon/infer/ngram.h"

#include <assert.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ngram *g, const struct ngram_features *f, size_t text_bytes)
{
	assert(f->count <= text_bytes + 1);
	for (size_t i = 0; i < f->count; i++)
		assert(f->features[i] >= 0 && f->features[i] < (int64_t)ngram_feature_count(g) &&
			isfinite(f->weights[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct ngram *g = NULL;
	struct err err = { 0 };
	size_t table = size > 8 ? 16 + (size_t)data[8] * 9 : size; /* the low byte of `states` */
	if (table > size)
		table = size;
	if (ngram_parse("fuzz", (struct slice){ bytes, table }, &g, &err) < 0)
		return 0;
	for (int turn = 0; turn < 2; turn++) { /* what one text leaves behind, the next one must not see */
		struct ngram_features f = ngram_extract(g, (struct slice){ bytes + table, size - table });
		check(g, &f, size - table);
	}
	ngram_free(g);
	return 0;
}
