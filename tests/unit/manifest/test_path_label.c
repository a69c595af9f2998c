/* What folders say of the files in them. */
#include "daemon/manifest/path_label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(const char *path, const char *concept, enum row_split split)
{
	struct path_label l = path_label(slice_of(path));
	assert_int_equal(l.concept.len, strlen(concept));
	assert_memory_equal(l.concept.p ? l.concept.p : "", concept, l.concept.len);
	assert_int_equal(l.split, split);
}

static void test_the_parent_is_the_concept(void **state)
{
	(void)state;
	expect("a.jpg", "", SPLIT_NONE);
	expect("", "", SPLIT_NONE);
	expect("cats/a.jpg", "cats", SPLIT_NONE);
	expect("animals/big cats/a.jpg", "big cats", SPLIT_NONE);
	expect("cats/", "cats", SPLIT_NONE);
	expect("k\xc3\xa4tzchen/a.jpg", "k\xc3\xa4tzchen", SPLIT_NONE);
	expect("caf\xe9/a.jpg", "", SPLIT_NONE); /* Latin-1 */
}

static void test_splits(void **state)
{
	(void)state;
	expect("train/cats/a.jpg", "cats", SPLIT_TRAIN);
	expect("Val/cats/a.jpg", "cats", SPLIT_VAL);
	expect("valid/cats/a.jpg", "cats", SPLIT_VAL);
	expect("validation/cats/a.jpg", "cats", SPLIT_VAL);
	expect("TEST/cats/a.jpg", "cats", SPLIT_TEST);
	expect("data/train/x/cats/a.jpg", "cats", SPLIT_TRAIN);
	expect("training/a.jpg", "training", SPLIT_NONE);
	expect("train", "", SPLIT_NONE); /* a file */
}

/* A class may be called "test": only the outermost such folder is a split. */
static void test_a_split_is_no_concept(void **state)
{
	(void)state;
	expect("train/a.jpg", "", SPLIT_TRAIN);
	expect("cats/train/a.jpg", "", SPLIT_TRAIN);
	expect("train/test/a.jpg", "test", SPLIT_TRAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_parent_is_the_concept),
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_a_split_is_no_concept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
