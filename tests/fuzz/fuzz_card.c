/* fuzz_card.c - any bytes as a model card: YAML, options, labels, then the canonical text. */
#include "daemon/base/cleanup.h"
#include "daemon/infer/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct card *c = NULL;
	struct err err = { 0 };
	if (card_parse("/nowhere/card.yaml", (struct slice){ (const char *)data, size }, &c, &err) < 0)
		return 0;
	CLEANUP(buf_done) struct buf text = { 0 };
	card_canonical(c, &text);
	card_free(c);
	return 0;
}
