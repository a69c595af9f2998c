/* fuzz_import_body.c - any bytes as the body of a row: what is written is read again and written the same. */
#include "daemon/base/cleanup.h"
#include "daemon/model/import_body.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf once = { 0 };
	CLEANUP(buf_done) struct buf again = { 0 };
	struct err err = { 0 };
	if (size > 65536 || import_body_write((struct slice){ (const char *)data, size }, &once, &err) < 0)
		return 0;
	if (import_body_write(buf_slice(&once), &again, &err) < 0 || !slice_eq(buf_slice(&once), buf_slice(&again))) {
		(void)fprintf(stderr, "%s\n%s\n%s\n", once.data, again.data ? again.data : "", err.text);
		abort();
	}
	return 0;
}
