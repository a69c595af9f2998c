/* rle.c - reads run lengths without unfolding them. */
#include "daemon/export/rle.h"

/* Runs so far: the next is background or, every other one, a part of the shape. */
struct runs {
	uint64_t at, height, pixels;
	bool shape;
	struct rle_extent *extent;
};

static void widen(struct rle_extent *e, uint64_t left, uint64_t top, uint64_t right, uint64_t bottom)
{
	bool first = e->area == 0;
	e->left = first || left < e->left ? left : e->left;
	e->top = first || top < e->top ? top : e->top;
	e->right = first || right > e->right ? right : e->right;
	e->bottom = first || bottom > e->bottom ? bottom : e->bottom;
}

static bool add_run(struct runs *r, uint64_t n)
{
	if (n > r->pixels - r->at)
		return false;
	if (r->shape && n > 0) {
		uint64_t last = r->at + n - 1;
		uint64_t left = r->at / r->height;
		uint64_t right = last / r->height;
		if (left == right)
			widen(r->extent, left, r->at % r->height, right + 1, last % r->height + 1);
		else /* it goes on at the top of the next column */
			widen(r->extent, left, 0, right + 1, r->height);
		r->extent->area += n;
	}
	r->at += n;
	r->shape = !r->shape;
	return true;
}

static bool read_list(struct runs *r, struct slice text)
{
	for (size_t i = 1; i + 1 < text.len;) {
		uint64_t n = 0;
		size_t digits = 0;
		while (i < text.len && strchr(" \t\r\n,", text.p[i]) && text.p[i])
			i++;
		for (; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && digits < 18; i++, digits++)
			n = n * 10 + (uint64_t)(text.p[i] - '0');
		if (digits == 0)
			return i + 1 == text.len;
		if (!add_run(r, n))
			return false;
	}
	return true;
}

/* Five bits a character, the least first, 0x20 says that more follow, 0x10 of the last is the sign; from the third on a
 * number is the difference to the one two before it. */
static bool read_string(struct runs *r, struct slice text)
{
	int64_t before[2] = { 0 };
	for (size_t i = 0, m = 0; i < text.len; m++) {
		int64_t x = 0;
		unsigned int shift = 0;
		for (bool more = true; more; shift += 5) {
			if (i == text.len || shift > 50 || text.p[i] < 48 || text.p[i] > 48 + 63)
				return false;
			int64_t c = text.p[i++] - 48;
			x |= (c & 0x1f) << shift;
			more = c & 0x20;
			if (!more && (c & 0x10))
				x -= (int64_t)1 << (shift + 5);
		}
		if (m > 2)
			x += before[m % 2];
		before[m % 2] = x;
		if (x < 0 || !add_run(r, (uint64_t)x))
			return false;
	}
	return true;
}

int rle_measure(const struct node *counts, uint64_t height, uint64_t width, struct rle_extent *ret)
{
	struct rle_extent extent = { 0 };
	struct arena a = { 0 };
	if (height == 0 || width == 0 || height > UINT32_MAX || width > UINT32_MAX)
		return -1;
	struct runs r = { .height = height, .pixels = height * width, .extent = &extent };
	bool good = counts->kind == NODE_ARRAY ? read_list(&r, counts->text) :
		counts->kind == NODE_STRING && read_string(&r, node_string(counts, &a));
	arena_done(&a);
	if (!good)
		return -1;
	*ret = extent;
	return 0;
}
