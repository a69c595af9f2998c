/* test_yolo.c - a data.yaml and the folder around it, kept in memory. */
#include "tests/unit/manifest/fixture.h"

#include "daemon/base/mem.h"

struct file {
	const char *path, *text;
};
struct folder {
	const struct file *files;   /* path NULL ends them */
	const char *refused;        /* opening this one is refused; NULL: none */
};
struct open_file {
	const char *at;
};
struct open_folder {
	const struct file *files;
	size_t next;
	char *prefix;
};

static int tree_open(void *arg, const char *path, void **ret_file, struct err *err)
{
	const struct folder *folder = arg;
	if (folder->refused && strcmp(path, folder->refused) == 0)
		return err_set(err, ERR_RETRY, 0, "'%s' cannot be read now", path);
	for (const struct file *f = folder->files; f->path; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		struct open_file *o = mem_zero(1, sizeof(*o));
		o->at = f->text;
		*ret_file = o;
		return 1;
	}
	return 0;
}

static ssize_t tree_read(void *file, void *p, size_t n, struct err *err)
{
	struct open_file *o = file;
	(void)err;
	n = n < 3 ? n : 3;
	n = n < strlen(o->at) ? n : strlen(o->at);
	memcpy(p, o->at, n);
	o->at += n;
	return (ssize_t)n;
}

static int tree_open_dir(void *arg, const char *path, void **ret_dir, struct err *err)
{
	const struct folder *folder = arg;
	if (strncmp(path, "../", 3) == 0 || *path == '/')
		return err_set(err, ERR_REJECT, 0, "'%s' is outside", path);
	size_t n = strlen(path);
	for (const struct file *f = folder->files; f->path; f++) {
		if (strncmp(f->path, path, n) != 0 || f->path[n] != '/')
			continue;
		struct open_folder *o = mem_zero(1, sizeof(*o));
		o->files = folder->files;
		o->prefix = mem_printf("%s/", path);
		*ret_dir = o;
		return 1;
	}
	return 0;
}

static int tree_next(void *dir, struct buf *ret_name, bool *ret_is_dir, struct err *err)
{
	struct open_folder *o = dir;
	(void)err;
	size_t n = strlen(o->prefix);
	while (o->files[o->next].path) {
		const char *path = o->files[o->next++].path;
		if (strncmp(path, o->prefix, n) != 0)
			continue;
		const char *slash = strchr(path + n, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		if (slash && o->next > 1 && strncmp(o->files[o->next - 2].path, path, len + 1) == 0)
			continue; /* this folder was given already: files stand in order */
		ret_name->len = 0;
		buf_add(ret_name, path + n, len - n);
		*ret_is_dir = slash != NULL;
		return 1;
	}
	return 0;
}

static void tree_close_dir(void *dir)
{
	struct open_folder *o = dir;
	free(o->prefix);
	free(o);
}

static void expect_tree(const char *yaml, const struct folder *folder, uint64_t skip, const char *expected)
{
	struct manifest_tree tree = { .arg = (void *)(uintptr_t)folder, .open = tree_open, .read = tree_read, .close = free,
		.open_dir = tree_open_dir, .next = tree_next, .close_dir = tree_close_dir };
	struct manifest_options o = { .spool = -1, .tree = &tree, .from = { .rows = skip } };
	expect_rows_of(slice_of(yaml), &o, expected);
}

static void test_detection(void **state)
{
	(void)state;
	static const struct file files[] = {
		{ "images/train/b.jpg", "" }, { "images/train/a.png", "" }, { "images/train/notes.txt", "" },
		{ "images/train/sub/c.JPG", "" }, { "images/val/d.jpg", "" },
		{ "labels/train/a.txt", "0 0.5 0.5 0.25 0.10\r\n1 .1 0.2 0.3 0.4 0.75\n\n" },
		{ "labels/train/b.txt", "" }, { "labels/train/sub/c.txt", "7 0.5 0.5 1 1" },
		{ "labels/val/d.txt", "1 0.1 0.2 0.3 0.4 0.5 0.6\n0 1 2 x 4\n" }, { NULL, NULL } };
	static const struct folder folder = { files, NULL };
	static const char yaml[] = "path: .\ntrain: images/train\nval: images/val # as usual\ntest:\nnames:\n  0: cat\n  1: dog\n";
	static const char rows[] =
		"{\"path\":\"images/train/a.png\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"cat\",\"geometry\":"
		"{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,0.25,0.10]}},{\"concept\":\"dog\","
		"\"confidence\":0.75,\"status\":\"ANNOTATION_AWAITING_REVIEW\",\"maker\":\"machine\",\"geometry\":"
		"{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.1,0.2,0.3,0.4]}}]}\n"
		"{\"path\":\"images/train/b.jpg\",\"media\":\"image\",\"split\":\"train\",\"attributes\":{\"background\":true}}\n"
		"{\"path\":\"images/train/sub/c.JPG\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"7\",\"geometry\":"
		"{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,1,1]}}],\"warning\":\"line 1 of 'labels/train/sub/c.txt': "
		"class 7 has no name in data.yaml; its labels are called 7\"}\n"
		"! 1:1@0 line 2 of 'labels/val/d.txt' is no label\n"
		"attributes {\"names\":{\"0\":\"cat\",\"1\":\"dog\"},\"train\":\"images/train\",\"val\":\"images/val\"}\n";
	expect_tree(yaml, &folder, 0, rows);
	expect_tree(yaml, &folder, 1, strchr(rows, '\n') + 1);
	expect_tree("path: /datasets/x\ntrain: ../images/train/sub\nnames: [a, b]\n", &folder, 0,
		"{\"path\":\"images/train/sub/c.JPG\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"7\",\"geometry\":"
		"{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,1,1]}}],\"warning\":\"line 1 of 'labels/train/sub/c.txt': "
		"class 7 has no name in data.yaml; its labels are called 7\"}\n"
		"attributes {\"names\":{\"0\":\"a\",\"1\":\"b\"},\"train\":\"../images/train/sub\"}\n");
	static const struct folder busy = { files, "labels/train/sub/c.txt" };
	expect_tree("train: images/train/sub\nnames: [a, b]\n", &busy, 0, "! 1:1@0 'labels/train/sub/c.txt' cannot be read now\n"
		"attributes {\"names\":{\"0\":\"a\",\"1\":\"b\"},\"train\":\"images/train/sub\"}\n");
	static const char partly[] = "train: images/nowhere\nval: images/train/sub\nnames: [a]\n";
	static const char partly_rows[] = "! 1:1@0 there is no folder 'images/nowhere' beside it\n"
		"{\"path\":\"images/train/sub/c.JPG\",\"media\":\"image\",\"split\":\"val\",\"labels\":[{\"concept\":\"7\",\"geometry\":"
		"{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.5,0.5,1,1]}}],\"warning\":\"line 1 of 'labels/train/sub/c.txt': "
		"class 7 has no name in data.yaml; its labels are called 7\"}\n"
		"attributes {\"names\":{\"0\":\"a\"},\"train\":\"images/nowhere\",\"val\":\"images/train/sub\"}\n";
	expect_tree(partly, &folder, 0, partly_rows);
	expect_tree(partly, &folder, 1, strchr(partly_rows, '\n') + 1);
	EXPECT("train: images\nnames: [a]\n",
		"!! manifest: it describes a YOLO dataset, whose pictures and labels lie in folders beside it; import its folder "
		"(inlet import FOLDER), or put it into a folder that is a source of manifests\n");
}

static void test_segments_keypoints_and_lists(void **state)
{
	(void)state;
	static const struct file files[] = {
		{ "im/p.jpg", "" }, { "im/p.txt", "0 0.5 0.5 1 1 0.1 0.2 2 0.3 0.4 1\n" }, { "seg/images/s.jpg", "" },
		{ "seg/labels/s.txt", "0 0 0 1 0 1 1 0.5 1\n" }, { "train.txt", "seg/images/s.jpg\r\nim/p.jpg\n" },
		{ NULL, NULL } };
	static const struct folder folder = { files, NULL };
	expect_tree("train: train.txt\nnames: {0: thing}\nkpt_shape: [2, 3]\n", &folder, 0,
		"{\"path\":\"seg/images/s.jpg\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"thing\",\"geometry\":"
		"{\"kind\":\"polygon\",\"unit\":\"fraction\",\"rings\":[[0,0,1,0,1,1,0.5,1]]}}]}\n"
		"{\"path\":\"im/p.jpg\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"thing\",\"geometry\":"
		"{\"kind\":\"keypoints\",\"unit\":\"fraction\",\"form\":\"xyv\",\"points\":[0.1,0.2,2,0.3,0.4,1]},"
		"\"attributes\":{\"cxcywh\":[0.5,0.5,1,1]}}]}\n"
		"attributes {\"names\":{\"0\":\"thing\"},\"kpt_shape\":[2,3],\"train\":\"train.txt\"}\n");
}

/* Once for each number, by the first line that has it; a number is a whole one. */
static void test_a_class_without_a_name_is_told(void **state)
{
	(void)state;
	static const struct file files[] = { { "im/0.jpg", "" }, { "im/a.jpg", "" }, { "im/b.jpg", "" }, { "im/c.jpg", "" }, { "im/d.jpg", "" },
		{ "im/0.txt", "2 0 0 1 1\nx\n" }, { "im/a.txt", "0 0 0 1 1\n2 0 0 1 1\n2 0 0 1 1\n" }, { "im/b.txt", "2.0 0 0 1 1\n\n1 0 0 1 1\n" },
		{ "im/c.txt", "0.5 0 0 1 1\n" }, { "im/d.txt", "-1 0 0 1 1\n" }, { NULL, NULL } };
	static const struct folder folder = { files, NULL };
#define BOX "\"geometry\":{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0,0,1,1]}}"
	expect_tree("train: im\nnames: {0: cat, 3: dog}\n", &folder, 0,
		"! 1:1@0 line 2 of 'im/0.txt' is no label\n"
		"{\"path\":\"im/a.jpg\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"cat\"," BOX ",{\"concept\":\"2\"," BOX
		",{\"concept\":\"2\"," BOX "],\"warning\":\"line 2 of 'im/a.txt': class 2 has no name in data.yaml; its labels are called 2\"}\n"
		"{\"path\":\"im/b.jpg\",\"media\":\"image\",\"split\":\"train\",\"labels\":[{\"concept\":\"2\"," BOX ",{\"concept\":\"1\"," BOX
		"],\"warning\":\"line 3 of 'im/b.txt': class 1 has no name in data.yaml; its labels are called 1\"}\n"
		"! 1:1@0 line 1 of 'im/c.txt' is no label\n"
		"! 1:1@0 line 1 of 'im/d.txt' is no label\n"
		"attributes {\"names\":{\"0\":\"cat\",\"3\":\"dog\"},\"train\":\"im\"}\n");
}

/* A product that wraps around would make a label of fewer numbers than are read. */
static void test_impossible_keypoints_are_refused(void **state)
{
	(void)state;
	static const struct file files[] = { { "im/p.jpg", "" }, { "im/p.txt", "0 1 2 3\n" }, { NULL, NULL } };
	static const struct folder folder = { files, NULL };
	static const char *const shapes[] = { "[-1, 1]", "[18446744073709551615, 1]", "[9223372036854775807, 2]", "[4097, 2]", "[0, 2]",
		"[17, 4]", "[17]", "[[17], 3]", "[x, 3]" };
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char yaml[120];
		(void)snprintf(yaml, sizeof(yaml), "train: im\nnames: [a]\nkpt_shape: %s\n", shapes[i]);
		expect_tree(yaml, &folder, 0,
			"!! manifest: line 3: kpt_shape wants how many points (1 to 4096), and 2 or 3 numbers for each\n");
	}
}

static void test_a_dataset_without_pictures_is_refused(void **state)
{
	(void)state;
	static const struct file files[] = { { "im/p.jpg", "" }, { NULL, NULL } };
	static const struct folder folder = { files, NULL };
	static const char *const yamls[] = { "train:\nnames: [a]\n", "names: [a]\ntrain: \"\"\nval: []\n" };
	for (size_t i = 0; i < sizeof(yamls) / sizeof(*yamls); i++)
		expect_tree(yamls[i], &folder, 0, "!! manifest: it names no folder of pictures; give one as train, val or test\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detection),
		cmocka_unit_test(test_segments_keypoints_and_lists),
		cmocka_unit_test(test_a_class_without_a_name_is_told),
		cmocka_unit_test(test_impossible_keypoints_are_refused),
		cmocka_unit_test(test_a_dataset_without_pictures_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
