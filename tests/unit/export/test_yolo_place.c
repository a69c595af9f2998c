/* test_yolo_place.c - one place for each picture of a YOLO dataset and its labels, whatever they are called. */
#include "daemon/export/yolo_place.h"

#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct names {
	struct yolo_names *given;
	struct entry entry;
	char *last;          /* owned */
};

static int setup(void **state)
{
	struct names *n = mem_zero(1, sizeof(*n));
	n->given = yolo_names_new();
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	struct names *n = *state;
	yolo_names_free(n->given);
	entry_done(&n->entry);
	free(n->last);
	free(n);
	return 0;
}

/* Where the labels and the picture of this path of this object go; one name only where no tree is made. */
static const char *place(struct names *n, const char *path, uint64_t object, const char *split, bool tree)
{
	struct reference r = { .object = object };
	struct item_full it = { .item = { .id = 900 + object, .media_type = SLICE_LIT("image/jpeg") }, .references = &r, .reference_count = 1 };
	n->entry.at = strstr(path, "://") ? ROW_URL : ROW_PATH;
	n->entry.where = slice_of(path);
	n->entry.split = slice_of(split);
	n->entry.listed = true;
	struct slice labels = yolo_labels_place(n->given, &n->entry, &it, tree);
	struct slice picture = tree ? yolo_picture_place(&n->entry, &it.item, labels) : (struct slice){ 0 };
	free(n->last);
	n->last = mem_printf("%s%s%.*s", labels.p, tree ? " " : "", (int)picture.len, picture.len ? picture.p : "");
	arena_reset(&n->entry.arena);
	return n->last;
}

static void test_labels_go_where_they_came_from(void **state)
{
	struct names *n = *state;
	assert_string_equal(place(n, "images/train/a.jpg", 1, "train", false), "labels/train/a.txt");
	assert_string_equal(place(n, "./images/val/sub/b.c.png", 2, "val", false), "labels/val/sub/b.c.txt");
	assert_string_equal(place(n, "train/images/c.jpg", 3, "train", false), "train/labels/c.txt");
	assert_string_equal(place(n, "photos/d.jpg", 4, "", false), "labels/train/4-d.txt");
	assert_string_equal(place(n, "../images/e.jpg", 5, "test", false), "labels/test/5-e.txt");
	assert_string_equal(place(n, "images/.jpg", 6, "train", false), "labels/train/6-.txt");
}

static void test_a_tree_of_our_own_has_its_splits(void **state)
{
	struct names *n = *state;
	assert_string_equal(place(n, "images/train/a.jpg", 1, "train", true), "labels/train/a.txt images/train/a.jpg");
	assert_string_equal(place(n, "valid/images/sub/b.PNG", 2, "val", true), "labels/val/sub/b.txt images/val/sub/b.PNG");
	assert_string_equal(place(n, "images/train/c.webp", 3, "test", true), "labels/test/train/c.txt images/test/train/c.webp");
	assert_string_equal(place(n, "https://example.org/x/d.png?w=1/2#e.f", 4, "", true), "labels/train/4-d.txt images/train/4-d.png");
	assert_string_equal(place(n, "photos/no extension", 5, "", true), "labels/train/5-no extension.txt images/train/5-no extension.jpg");
	assert_string_equal(place(n, "photos/g.jpg", 6, "", true), "labels/train/6-g.txt images/train/6-g.jpg");
	assert_string_equal(place(n, "line\nbreak.jpg", 7, "", true), "labels/train/7-line_break.txt images/train/7-line_break.jpg");
}

static void test_no_two_have_one_name(void **state)
{
	struct names *n = *state;
	assert_string_equal(place(n, "images/train/a.jpg", 1, "train", true), "labels/train/a.txt images/train/a.jpg");
	assert_string_equal(place(n, "images/train/a.png", 2, "train", true), "labels/train/2-a.txt images/train/2-a.png");
	assert_string_equal(place(n, "train/images/a.jpg", 3, "train", true), "labels/train/3-a.txt images/train/3-a.jpg");
	assert_string_equal(place(n, "images/train/5-a.jpg", 4, "train", true), "labels/train/5-a.txt images/train/5-a.jpg");
	assert_string_equal(place(n, "a.jpg", 5, "train", true), "labels/train/5-2-a.txt images/train/5-2-a.jpg");
	assert_string_equal(place(n, "a.jpg", 5, "train", true), "labels/train/5-3-a.txt images/train/5-3-a.jpg");
	assert_string_equal(place(n, "a.jpg", 5, "val", true), "labels/val/5-a.txt images/val/5-a.jpg");
	for (uint64_t i = 10; i < 5000; i++) /* the set grows */
		assert_null(strstr(place(n, "b.jpg", i, "train", true), "-2-"));
	assert_string_equal(place(n, "b.jpg", 4999, "train", true), "labels/train/4999-2-b.txt images/train/4999-2-b.jpg");
}

/* A file system takes 255 bytes of a name: what is longer is cut, and not within a character. */
static void test_names_that_no_file_system_takes(void **state)
{
	struct names *n = *state;
	char path[400] = "images/train/";
	for (size_t i = strlen(path); i < 310; i += 2)
		memcpy(path + i, "\xc3\xa9", 3);
	strcat(path, ".jpg");
	const char *got = place(n, path, 7, "train", true);
	const char *base = strstr(got, "7-\xc3\xa9");
	assert_non_null(base);
	assert_int_equal(strcspn(base, "."), 2 + 180);
	assert_true(strlen(strrchr(got, '/') + 1) <= 255);
}

static void test_what_trainers_do_not_read_has_no_place(void **state)
{
	struct names *n = *state;
	struct item item = { .media_type = SLICE_LIT("image/gif") };
	n->entry.where = SLICE_LIT("a.jpg");
	assert_int_equal(yolo_picture_place(&n->entry, &item, SLICE_LIT("labels/train/a.txt")).len, 0);
	item.media_type = (struct slice){ 0 }; /* not looked at yet */
	assert_string_equal(yolo_picture_place(&n->entry, &item, SLICE_LIT("labels/train/a.txt")).p, "images/train/a.jpg");
	n->entry.where = SLICE_LIT("a.gif");
	assert_int_equal(yolo_picture_place(&n->entry, &item, SLICE_LIT("labels/train/a.txt")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_labels_go_where_they_came_from, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_tree_of_our_own_has_its_splits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_two_have_one_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_no_file_system_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_trainers_do_not_read_has_no_place, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
