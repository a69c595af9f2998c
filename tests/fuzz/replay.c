/* replay.c - runs a fuzz target over the files of its corpus without a fuzzer: fuzz corpora as plain tests. */
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "daemon/base/file.h"

#include <fcntl.h>

#define INPUT_MAX (64U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int run_file(int dir, const char *name)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	struct err err = { 0 };
	if (file_slurp(dir, name, INPUT_MAX, &bytes, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	/* Its own allocation, so that a sanitizer sees a read past the end. */
	CLEANUP(freep) uint8_t *exact = malloc(bytes.len ? bytes.len : 1);
	if (!exact)
		return -1;
	if (bytes.len)
		memcpy(exact, bytes.data, bytes.len);
	(void)LLVMFuzzerTestOneInput(exact, bytes.len);
	return 0;
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	CLEANUP(closedirp) DIR *corpus = argc == 2 ? opendir(argv[1]) : NULL;
	if (!corpus) {
		(void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	size_t count = 0;
	for (const struct dirent *e; (e = readdir(corpus));) {
		if (e->d_name[0] == '.')
			continue;
		if (run_file(dirfd(corpus), e->d_name) < 0)
			return 1;
		count++;
	}
	(void)printf("%s: %zu inputs\n", argv[1], count);
	return count > 0 ? 0 : 1;
}
