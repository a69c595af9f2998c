/* worker_resize.c - separable resampling in fixed point: for each output row, the rows under its filter are summed,
 * then the columns. Each sum is rounded to 8 bits. */
#include "daemon/decode/worker_resize.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_BITS 14 /* a weight fits 16 bits, and 255 times the sum of them fits 32 */
#define WEIGHT_ONE (1 << WEIGHT_BITS)
#define BLOCK 2048 /* columns summed at once: accumulators that stay in the first-level cache */

struct taps {
	uint32_t first, count; /* input positions within the box */
	int16_t *weights;      /* count of them; their sum is WEIGHT_ONE */
};

/* ---- filters ---- */

static double bilinear(double x)
{
	return x < 1 ? 1 - x : 0;
}

static double bicubic(double x) /* Catmull-Rom, a = -0.5 */
{
	if (x < 1)
		return (1.5 * x - 2.5) * x * x + 1;
	return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static double sinc(double x)
{
	return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos3(double x)
{
	return x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static double area(double x)
{
	return x <= 0.5 ? 1 : 0;
}

static const struct {
	double support;
	double (*at)(double x); /* of the distance, >= 0 */
} filters[] = {
	[KERNEL_AREA] = { 0.5, area },
	[KERNEL_BILINEAR] = { 1, bilinear },
	[KERNEL_BICUBIC] = { 2, bicubic },
	[KERNEL_LANCZOS3] = { 3, lanczos3 },
};

/* Rounds the weights so that a flat area stays exactly what it is: the largest takes what rounding leaves. */
static void fix_weights(const double *weights, double sum, struct taps *t)
{
	int left = WEIGHT_ONE;
	uint32_t largest = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		t->weights[i] = (int16_t)lround(weights[i] / sum * WEIGHT_ONE);
		left -= t->weights[i];
		if (t->weights[i] > t->weights[largest])
			largest = i;
	}
	t->weights[largest] = (int16_t)(t->weights[largest] + left);
}

/* The taps of each of `to` positions over `from`; one allocation behind them all, owned by *ret_memory. */
static struct taps *make_taps(uint32_t from, uint32_t to, enum pixel_kernel kernel, int16_t **ret_memory)
{
	double scale = (double)from / to;
	double widen = scale > 1 ? scale : 1;
	double support = kernel == KERNEL_NEAREST ? 0 : filters[kernel].support * widen;
	uint32_t most = (uint32_t)(2 * support) + 3;
	most = most < from ? most : from;
	struct taps *taps = mem_zero(to, sizeof(*taps));
	int16_t *memory = mem_zero((size_t)to * most, sizeof(*memory));
	CLEANUP(freep) double *exact = mem_zero(most, sizeof(*exact));
	for (uint32_t i = 0; i < to; i++) {
		double centre = (i + 0.5) * scale;
		double low = floor(centre - support + 0.5);
		double high = floor(centre + support + 0.5);
		struct taps *t = &taps[i];
		t->weights = memory + (size_t)i * most;
		t->first = low < 0 ? 0 : (uint32_t)low;
		t->count = (high > from ? from : (uint32_t)high) - t->first;
		if (kernel == KERNEL_NEAREST) {
			t->first = centre < from ? (uint32_t)centre : from - 1;
			t->count = 1;
			t->weights[0] = WEIGHT_ONE;
			continue;
		}
		double sum = 0;
		for (uint32_t k = 0; k < t->count; k++)
			sum += exact[k] = filters[kernel].at(fabs(t->first + k + 0.5 - centre) / widen);
		fix_weights(exact, sum, t);
	}
	*ret_memory = memory;
	return taps;
}

/* ---- sums ---- */

static uint8_t to_byte(int32_t sum)
{
	int32_t v = (sum + WEIGHT_ONE / 2) >> WEIGHT_BITS;
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORISED \
	__attribute__((target_clones("avx2", "default"), optimize("O3"))) /* 32-bit multiplies: SSE2 has none */
#else
#define VECTORISED
#endif

/* Two rows at a time: half the traffic on the sums. */
VECTORISED static void add_rows(int32_t *restrict sums, const uint8_t *restrict a, const uint8_t *restrict b,
				int32_t weight_a, int32_t weight_b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sums[i] += weight_a * a[i] + weight_b * b[i];
}

VECTORISED static void to_bytes(const int32_t *restrict sums, uint8_t *restrict to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = to_byte(sums[i]);
}

/* Columns of one output row: n bytes at `to` from the rows under its taps; src is the box's first row. */
static void sum_rows(const uint8_t *src, size_t stride, const struct taps *t, size_t n, uint8_t *to)
{
	int32_t sums[BLOCK];
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t block = n - at < BLOCK ? n - at : BLOCK;
		const uint8_t *row = src + t->first * stride + at;
		memset(sums, 0, block * sizeof(sums[0]));
		for (uint32_t k = 0; k < t->count; k += 2, row += 2 * stride) {
			bool pair = k + 1 < t->count;
			add_rows(sums, row, pair ? row + stride : row, t->weights[k], pair ? t->weights[k + 1] : 0,
				 block);
		}
		to_bytes(sums, to + at, block);
	}
}

/* Inlined with a constant number of bands. */
static inline __attribute__((always_inline)) void sum_taps(const uint8_t *p, const struct taps *t, uint32_t bands,
							   uint8_t *to)
{
	int32_t sums[4] = { 0 };
	for (uint32_t k = 0; k < t->count; k++, p += bands) {
		for (uint32_t c = 0; c < bands; c++)
			sums[c] += t->weights[k] * p[c];
	}
	for (uint32_t c = 0; c < bands; c++)
		to[c] = to_byte(sums[c]);
}

static void sum_columns(const uint8_t *row, uint32_t bands, const struct taps *taps, uint32_t width, uint8_t *to)
{
	for (uint32_t x = 0; x < width && bands == 3; x++)
		sum_taps(row + (size_t)taps[x].first * 3, &taps[x], 3, to + (size_t)x * 3);
	for (uint32_t x = 0; x < width && bands == 4; x++)
		sum_taps(row + (size_t)taps[x].first * 4, &taps[x], 4, to + (size_t)x * 4);
}

void resize(const struct raster *from, struct box box, enum pixel_kernel kernel, struct raster *to)
{
	CLEANUP(freep) int16_t *row_weights = NULL;
	CLEANUP(freep) int16_t *column_weights = NULL;
	CLEANUP(freep) struct taps *rows = make_taps(box.height, to->height, kernel, &row_weights);
	CLEANUP(freep) struct taps *columns = make_taps(box.width, to->width, kernel, &column_weights);
	size_t stride = (size_t)from->width * from->bands;
	size_t n = (size_t)box.width * from->bands;
	const uint8_t *src = from->pixels + box.y * stride + (size_t)box.x * from->bands;
	CLEANUP(freep) uint8_t *row = mem_alloc(n);
	for (uint32_t y = 0; y < to->height; y++) {
		sum_rows(src, stride, &rows[y], n, row);
		sum_columns(row, from->bands, columns, to->width, to->pixels + (size_t)y * to->width * from->bands);
	}
}
