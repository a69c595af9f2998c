/* index.c - the log and the index alone: bench-index DIR COUNT submits COUNT new objects, whose bytes stay at their source, in
 * changes as large as a fetch thread's. DIR is a fresh one; its index is left there to be looked at. */
#include "daemon/base/clock.h"
#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/store/store.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PER_CHANGE 100
#define PER_DIRECTORY 1000

static atomic_uint_fast64_t failures;

static void committed(void *arg, int64_t revision, const struct err *err)
{
	(void)arg;
	if (revision < 0 && atomic_fetch_add(&failures, 1) == 0)
		(void)fprintf(stderr, "bench-index: %s\n", err->text);
}

/* Names, versions and content as a folder of 10 KB files has them. */
static void arrive(struct change *c, uint64_t n)
{
	char key[64], version[64];
	struct arrival a = { .source = SLICE_LIT("bench"), .layout = LAYOUT_TREE, .how = ARRIVAL_REFERENCE, .bytes = 10000, .fd = -1 };
	int key_len = snprintf(key, sizeof(key), "d%05" PRIu64 "/f%07" PRIu64 ".bin", n / PER_DIRECTORY, n);
	int version_len = snprintf(version, sizeof(version), "%04" PRIx64 ".2SF.1X_ZyK%05" PRIx64, n % 65536, n);
	a.key = (struct slice){ key, (size_t)key_len };
	a.version = (struct slice){ version, (size_t)version_len };
	hash_random(a.content.sha256, sizeof(a.content.sha256));
	change_arrive(c, &a);
}

static int run(struct store *s, uint64_t count, struct err *err)
{
	for (uint64_t n = 0; n < count;) {
		struct change *c = change_new();
		for (uint64_t end = n + PER_CHANGE; n < end && n < count; n++)
			arrive(c, n);
		if (committer_submit(s, c, committed, NULL, err) < 0)
			return -1;
	}
	return committer_wait(s, change_new(), err) < 0 || atomic_load(&failures) ? -1 : 0;
}

static double own_cpu_s(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(stderr, "usage: bench-index DIR COUNT\n");
		return 2;
	}
	uint64_t count = strtoull(argv[2], NULL, 10);
	struct store_options o = { .map_bytes = 64ULL << 30, .segment_bytes = 1ULL << 30, .arena_bytes = 16U << 20,
		.memory_bytes = 512U << 20 };
	struct store *s;
	struct stat st;
	struct err err = { 0 };
	if (store_open(argv[1], &o, &s, NULL, &err) < 0) {
		(void)fprintf(stderr, "bench-index: %s\n", err.text);
		return 1;
	}
	uint64_t start = clock_mono_ns();
	int result = run(s, count, &err);
	double wall_s = (double)(clock_mono_ns() - start) / 1e9;
	struct store_usage usage;
	store_usage(s, &usage);
	store_close(s);
	char *file = mem_printf("%s/index/data.mdb", argv[1]);
	if (result < 0 || stat(file, &st) < 0) {
		(void)fprintf(stderr, "bench-index: %s\n", err.text);
		return 1;
	}
	(void)printf("%.0f items/s, %.1f us of own CPU an item, %.0f bytes an item, %" PRIu64 " commits\n", (double)count / wall_s,
		own_cpu_s() * 1e6 / (double)count, (double)st.st_size / (double)count, usage.revision);
	free(file);
	return 0;
}
