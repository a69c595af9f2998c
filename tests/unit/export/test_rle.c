/* test_rle.c - what run lengths cover, told by unfolding them, in both spellings of COCO's. */
#include "daemon/export/rle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int measure(const char *json, uint64_t height, uint64_t width, struct rle_extent *ret)
{
	struct dom dom = { 0 };
	struct dom_error e;
	assert_int_equal(dom_parse(&dom, slice_of(json), &e), 0);
	int r = rle_measure(dom_root(&dom), height, width, ret);
	dom_done(&dom);
	return r;
}

static void expect_extent(const char *json, uint64_t height, uint64_t width, const struct rle_extent *x)
{
	struct rle_extent e;
	if (measure(json, height, width, &e) < 0)
		fail_msg("%s: no run lengths", json);
	if (e.area != x->area || e.left != x->left || e.top != x->top || e.right != x->right || e.bottom != x->bottom)
		fail_msg("%s: %d pixels, %d %d %d %d", json, (int)e.area, (int)e.left, (int)e.top, (int)e.right, (int)e.bottom);
}
#define EXPECT(json, h, w, ...) expect_extent(json, h, w, &(struct rle_extent){ __VA_ARGS__ })

static void test_lists(void **state)
{
	(void)state;
	EXPECT("[16]", 4, 4, 0, 0, 0, 0, 0);
	EXPECT("[]", 4, 4, 0, 0, 0, 0, 0);
	EXPECT("[0,16]", 4, 4, 16, 0, 0, 4, 4);
	EXPECT("[5,2,9]", 4, 4, 2, 1, 1, 2, 3);          /* the second column, from its second pixel */
	EXPECT("[3,2]", 4, 4, 2, 0, 0, 2, 4);            /* over the end of a column: it may cover all rows */
	EXPECT("[ 5 , 1,\n2,1]", 4, 4, 2, 1, 0, 3, 2);
	EXPECT("[0,1,14,1]", 4, 4, 2, 0, 0, 4, 4);
	EXPECT("[5,0,0,2]", 4, 4, 2, 1, 1, 2, 3);        /* runs of nothing */
}

/* As pycocotools 2.0 writes them, with its own area and box. */
static void test_strings(void **state)
{
	(void)state;
	EXPECT("\"529\"", 4, 4, 2, 1, 1, 2, 3);
	EXPECT("\"01>0\"", 4, 4, 2, 0, 0, 4, 4);
	EXPECT("\"0`0\"", 4, 4, 16, 0, 0, 4, 4);
	EXPECT("\"32;\"", 4, 4, 2, 0, 0, 2, 4);
	EXPECT("\"`0\"", 4, 4, 0, 0, 0, 0, 0);
	EXPECT("\"\\\\l8f4f4000000000000000000nKdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3\\\\4lLdKT3"
	       "\\\\4lLdKT3\\\\4n0000000000000000000000000000000000000000000000000000000000000000000000000000000TTP1\"",
		300, 200, 8900, 30, 100, 90, 250);
}

static void test_what_is_none(void **state)
{
	(void)state;
	static const char *const wrong[] = { "[17]", "[1,16]", "[-1]", "[1.5]", "[\"1\"]", "[[1]]", "[1,null]", "[9223372036854775808]",
		"[99999999999999999999]", "12", "null", "{}", "\"~~\"", "\"P\"", "\"oooooooooooo0\"", "\"/\"", "\"5\\u00002\"" };
	struct rle_extent e;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (measure(wrong[i], 4, 4, &e) == 0)
			fail_msg("%s: %d pixels", wrong[i], (int)e.area);
	assert_int_equal(measure("[1]", 0, 4, &e), -1);
	assert_int_equal(measure("[1]", 4, 0, &e), -1);
	assert_int_equal(measure("[1]", 1ULL << 40, 1ULL << 40, &e), -1);
}

static void test_large_pictures(void **state)
{
	(void)state;
	EXPECT("[4294967295,4294967295]", 4294967295, 4294967295, 4294967295, 1, 0, 2, 4294967295);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_large_pictures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
