/* model.c - a model alone on ready inputs: bench-model CARD COUNT [BATCH]. What make bench holds the pipeline against. */
#include "daemon/base/clock.h"
#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/infer/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(stderr, "usage: bench-model CARD COUNT [BATCH]\n");
		return 2;
	}
	size_t count = strtoul(argv[2], NULL, 10), batch = argc > 3 ? strtoul(argv[3], NULL, 10) : 32;
	struct backend_options o = { .threads = (int)sysconf(_SC_NPROCESSORS_ONLN) };
	struct model *m;
	struct err err;
	if (batch < 1 || batch > BATCH_MAX || model_open(argv[1], &o, &m, &err) < 0) {
		(void)fprintf(stderr, "bench-model: %s\n", batch < 1 || batch > BATCH_MAX ? "batch is 1 to 128" : err.text);
		return 1;
	}
	size_t bytes = pixel_spec_bytes(model_info(m)->pixels);
	uint8_t *pixels = mem_alloc(bytes);
	struct prediction *out = mem_zero(batch, sizeof(*out));
	struct sample samples[BATCH_MAX];
	hash_random(pixels, bytes);
	for (size_t i = 0; i < batch; i++)
		samples[i] = (struct sample){ .pixels = pixels };
	uint64_t start = clock_mono_ns();
	for (size_t done = 0; done < count; done += batch) {
		if (model_run(m, count - done < batch ? count - done : batch, samples, out, &err) < 0) {
			(void)fprintf(stderr, "bench-model: %s\n", err.text);
			return 1;
		}
	}
	(void)printf("%.1f images/s\n", (double)count * 1e9 / (double)(clock_mono_ns() - start));
	model_close(m);
	free(pixels);
	free(out);
	return 0;
}
