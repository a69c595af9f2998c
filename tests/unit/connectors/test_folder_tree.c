/* test_folder_tree.c - directories by name and by watch: who holds what, who is due, and what is left when they go. */
#include "connectors/folder_tree.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define STEP (1ULL << 24)           /* times are rounded up to this */
#define AT(n) ((uint64_t)(n) * STEP)

struct fixture {
	struct tree tree;
	int unwatched[64]; /* in order */
	size_t count;
};

static void unwatch(void *arg, int wd)
{
	struct fixture *f = arg;
	assert_true(f->count < sizeof(f->unwatched) / sizeof(*f->unwatched));
	f->unwatched[f->count++] = wd;
}

static int make(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	tree_init(&f->tree);
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;
	tree_done(&f->tree);
	free(f);
	return 0;
}

static struct node *add(struct fixture *f, const char *path)
{
	return tree_add(&f->tree, slice_of(path));
}

static void assert_path(const struct node *n, const char *path)
{
	CLEANUP(buf_done) struct buf b = { 0 };
	tree_path(n, &b);
	buf_char(&b, '\0');
	assert_string_equal(b.data, path);
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	struct node *root = add(f, ""), *a = add(f, "a"), *b = add(f, "a/b");
	struct node *other = add(f, "b");
	assert_ptr_equal(add(f, ""), root);
	assert_ptr_equal(add(f, "a/b"), b);
	assert_ptr_not_equal(other, b);
	assert_ptr_equal(tree_child(&f->tree, a, SLICE_LIT("b")), b);
	assert_ptr_equal(tree_child(&f->tree, root, SLICE_LIT("b")), other);
	assert_null(tree_child(&f->tree, b, SLICE_LIT("b")));
	assert_ptr_equal(tree_find(&f->tree, SLICE_LIT("a/b")), b);
	assert_ptr_equal(tree_find(&f->tree, SLICE_LIT("")), root);
	assert_null(tree_find(&f->tree, SLICE_LIT("a/b/c")));
	assert_null(add(f, "x/y")); /* its parent is not known */
	assert_int_equal(f->tree.nodes, 4);
	assert_path(root, "");
	assert_path(other, "b");
	assert_path(b, "a/b");
}

static void test_nothing_is_known_before_the_root(void **state)
{
	struct fixture *f = *state;
	assert_null(tree_find(&f->tree, SLICE_LIT("")));
	assert_null(add(f, "a"));
	assert_int_equal(f->tree.first_due_ns, UINT64_MAX);
}

static void test_a_subtree_goes_whole(void **state)
{
	struct fixture *f = *state;
	struct node *a;
	add(f, "");
	a = add(f, "a");
	tree_bind(&f->tree, a, 1);
	tree_bind(&f->tree, add(f, "a/b"), 2);
	tree_bind(&f->tree, add(f, "a/b/c"), 3);
	tree_bind(&f->tree, add(f, "z"), 4);
	tree_due(&f->tree, tree_find(&f->tree, SLICE_LIT("a/b")), AT(5));
	tree_remove(&f->tree, a, unwatch, f);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->tree.nodes, 2);
	assert_int_equal(f->tree.watched, 1);
	assert_int_equal(f->tree.due_count, 0);
	assert_null(tree_find(&f->tree, SLICE_LIT("a/b/c")));
	assert_non_null(tree_find(&f->tree, SLICE_LIT("z")));
}

/* A directory seen at its new place before its old one is given up: the watch is removed with the last holder. */
static void test_one_watch_of_two_names(void **state)
{
	struct fixture *f = *state;
	struct node *old, *moved, *dead;
	add(f, "");
	old = add(f, "old");
	moved = add(f, "moved");
	tree_bind(&f->tree, old, 7);
	tree_bind(&f->tree, moved, 7);
	tree_remove(&f->tree, old, unwatch, f);
	assert_int_equal(f->count, 0);
	assert_ptr_equal(tree_holder(&f->tree, 7, NULL), moved);
	assert_null(tree_holder(&f->tree, 7, moved));
	tree_release(&f->tree, moved, unwatch, f);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->unwatched[0], 7);
	assert_int_equal(moved->wd, NODE_UNWATCHED);
	assert_int_equal(f->tree.watched, 0);
	dead = tree_holder(&f->tree, 7, NULL); /* until the kernel has said that it is gone */
	assert_non_null(dead);
	assert_true(dead->dead);
	tree_release(&f->tree, moved, unwatch, f); /* it holds none: nothing happens */
	assert_int_equal(f->count, 1);
	tree_lost(&f->tree, 7, AT(1));
	assert_null(tree_holder(&f->tree, 7, NULL));
	assert_int_equal(f->tree.due_count, 0); /* it was given up: nobody has to look */
}

static void test_a_watch_that_the_kernel_took_makes_its_holders_due(void **state)
{
	struct fixture *f = *state;
	struct node *a, *b;
	add(f, "");
	a = add(f, "a");
	b = add(f, "b");
	tree_bind(&f->tree, a, 5);
	tree_bind(&f->tree, b, 5);
	tree_lost(&f->tree, 5, AT(9));
	assert_int_equal(f->tree.watched, 0);
	assert_int_equal(f->tree.due_count, 2);
	assert_int_equal(a->due_ns, AT(9));
	assert_int_equal(b->wd, NODE_UNWATCHED);
	assert_int_equal(f->count, 0);
}

static void test_the_dead_are_forgotten_together(void **state)
{
	struct fixture *f = *state;
	add(f, "");
	for (int wd = 1; wd <= 200; wd++)
		tree_bury(&f->tree, wd);
	tree_bind(&f->tree, add(f, "a"), 300);
	tree_forget_dead(&f->tree);
	for (int wd = 1; wd <= 200; wd++)
		assert_null(tree_holder(&f->tree, wd, NULL));
	assert_non_null(tree_holder(&f->tree, 300, NULL));
	assert_int_equal(f->tree.watched, 1);
}

static void test_due_is_the_earliest_asked_for(void **state)
{
	struct fixture *f = *state;
	struct node *a, *b;
	add(f, "");
	a = add(f, "a");
	b = add(f, "b");
	tree_due(&f->tree, a, AT(50));
	tree_due(&f->tree, a, AT(90));
	assert_int_equal(a->due_ns, AT(50));
	tree_due(&f->tree, a, AT(20) - 3); /* rounded up, so that many fall together */
	assert_int_equal(a->due_ns, AT(20));
	tree_due(&f->tree, b, AT(70));
	assert_int_equal(f->tree.due_count, 2);
	assert_int_equal(f->tree.first_due_ns, AT(20));
	tree_clean(&f->tree, a);
	assert_true(f->tree.first_due_ns <= AT(70)); /* never too late */
	tree_first_due(&f->tree);
	assert_int_equal(f->tree.first_due_ns, AT(70));
	tree_clean(&f->tree, b);
	tree_clean(&f->tree, b);
	assert_int_equal(f->tree.due_count, 0);
	assert_int_equal(f->tree.first_due_ns, UINT64_MAX);
}

static void test_what_cost_a_lot_rests(void **state)
{
	struct fixture *f = *state;
	struct node *a;
	add(f, "");
	a = add(f, "a");
	a->rest_until_ns = AT(100);
	tree_due(&f->tree, a, AT(10));
	assert_int_equal(a->due_ns, AT(100));
	tree_due(&f->tree, a, AT(120));
	assert_int_equal(a->due_ns, AT(100));
}

#define DIRECTORIES 5000

/* Many come, half go, all in the tables and counts are the other half. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	char name[32];
	add(f, "");
	for (int i = 0; i < DIRECTORIES; i++) {
		struct node *n;
		(void)snprintf(name, sizeof(name), "d%d", i);
		n = add(f, name);
		tree_bind(&f->tree, n, i + 1);
		tree_due(&f->tree, n, AT(i));
	}
	for (int i = 0; i < DIRECTORIES; i += 2) {
		struct node *n;
		(void)snprintf(name, sizeof(name), "d%d", i);
		n = tree_find(&f->tree, slice_of(name));
		assert_non_null(n);
		tree_lost(&f->tree, i + 1, AT(i));
		tree_remove(&f->tree, n, unwatch, f);
	}
	assert_int_equal(f->tree.nodes, DIRECTORIES / 2 + 1);
	assert_int_equal(f->tree.watched, DIRECTORIES / 2);
	assert_int_equal(f->tree.due_count, DIRECTORIES / 2);
	assert_int_equal(f->count, 0); /* the kernel had taken them */
	tree_first_due(&f->tree);
	assert_int_equal(f->tree.first_due_ns, AT(1));
	for (int i = 0; i < DIRECTORIES; i++) {
		(void)snprintf(name, sizeof(name), "d%d", i);
		const struct node *n = tree_find(&f->tree, slice_of(name));
		assert_int_equal(n != NULL, i % 2);
		assert_ptr_equal(tree_holder(&f->tree, i + 1, NULL), n);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make, unmake)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_nothing_is_known_before_the_root),
		TEST(test_a_subtree_goes_whole),
		TEST(test_one_watch_of_two_names),
		TEST(test_a_watch_that_the_kernel_took_makes_its_holders_due),
		TEST(test_the_dead_are_forgotten_together),
		TEST(test_due_is_the_earliest_asked_for),
		TEST(test_what_cost_a_lot_rests),
		TEST(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
