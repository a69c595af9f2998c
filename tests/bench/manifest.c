/* manifest.c - a manifest read to its end, every row made: bench-manifest FILE prints the rows. */
#include "daemon/base/cleanup.h"
#include "daemon/manifest/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

static ssize_t read_file(void *arg, void *p, size_t n, struct err *err)
{
	ssize_t got = read(*(int *)arg, p, n);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read") : got;
}

int main(int argc, char **argv)
{
	CLEANUP(close_fdp) int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct manifest_options o = { .spool = -1, .name = argc == 2 ? argv[1] : NULL };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	struct err err = { 0 };
	uint64_t rows = 0, failures = 0, labels = 0;
	if (fd < 0) {
		(void)fprintf(stderr, "usage: bench-manifest FILE\n");
		return 2;
	}
	int got = manifest_open(&o, read_file, &fd, &m, &err);
	while (got >= 0 && (got = manifest_next(m, &row, &failure, &err)) > 0) {
		rows++;
		failures += got == 2;
		labels += got == 1 ? row.label_count : 0;
	}
	manifest_close(m);
	if (got < 0)
		(void)fprintf(stderr, "bench-manifest: %s\n", err.text);
	(void)printf("%" PRIu64 " rows, %" PRIu64 " failed, %" PRIu64 " labels\n", rows, failures, labels);
	return got < 0;
}
