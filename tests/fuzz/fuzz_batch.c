/* fuzz_batch.c - any bytes as the text of a batch member: read to its end, and its digest depends on nothing but the lines. */
#include "daemon/base/cleanup.h"
#include "daemon/store/batch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_lines(struct slice lines, struct slice text)
{
	struct slice line;
	while (batch_next(&lines, &line) != BATCH_END) {
		if (line.p < text.p || line.p + line.len > text.p + text.len || memchr(line.p, '\n', line.len))
			abort();
	}
	if (lines.len != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(sha256_freep) struct sha256 *hash = sha256_new();
	struct slice text = { (const char *)data, size };
	struct slice lines;
	struct batch_head head;
	uint8_t digest[SHA256_BYTES];
	struct err err = { 0 };
	char name[TAR_NAME_MAX + 1] = "";
	if (size > 0)
		memcpy(name, data, size < TAR_NAME_MAX ? size : TAR_NAME_MAX);
	(void)batch_name(name);
	if (batch_open(text, hash, &head, digest, &lines, &err) < 0) {
		if (err.class != ERR_REJECT)
			abort();
		return 0;
	}
	read_lines(lines, text);
	return 0;
}
