/* fuzz_record.c - any bytes as a line of the log: what is read must be written as a line that is read the same. */
#include "daemon/base/cleanup.h"
#include "daemon/model/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record first;
	struct record second;
	CLEANUP(record_mem_freep) struct record_mem *first_mem = NULL;
	CLEANUP(record_mem_freep) struct record_mem *second_mem = NULL;
	CLEANUP(buf_done) struct buf line = { 0 };
	CLEANUP(buf_done) struct buf again = { 0 };
	struct err err = { 0 };
	if (size > 65536 || record_decode((struct slice){ (const char *)data, size }, &first, &first_mem, &err) < 0)
		return 0;
	record_encode(&first, &line);
	if (record_decode(buf_slice(&line), &second, &second_mem, &err) < 0) {
		(void)fprintf(stderr, "%s\n%s\n", line.data, err.text);
		abort();
	}
	record_encode(&second, &again);
	if (!slice_eq(buf_slice(&line), buf_slice(&again)) || memchr(line.data, '\n', line.len))
		abort();
	return 0;
}
