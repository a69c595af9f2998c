/* test_import_mends.c - which failed row a row of a mended list stands for: by its values, its identity, its order. */
#include "daemon/cli/import_mends.h"

#include "daemon/cli/client.h"
#include "tests/unit/manifest/fixture.h"

#include <string.h>

/* What the daemon says has failed: JSON lines. */
static const char *failures;
static char asked[200];

int client_lines(struct client *c, const char *path, const char *body, client_line_fn *fn, void *arg, struct err *err)
{
	int r = 0;
	(void)c;
	assert_null(body);
	(void)snprintf(asked, sizeof(asked), "%s", path);
	for (const char *at = failures; r == 0 && *at; at = strchr(at, '\n') + 1) {
		json_t *line = json_loadb(at, strcspn(at, "\n"), 0, NULL);
		assert_non_null(line);
		r = fn(arg, line, err);
		json_decref(line);
	}
	return r;
}

/* "2 5 101 ": the lines that the rows of a list go by; those above 100 stand for none that failed. */
static void expect(const char *list, const char *failed, const char *expected)
{
	struct feed f = { .text = slice_of(list), .piece = SIZE_MAX };
	struct manifest_options o = { .spool = -1, .name = "again.csv" };
	CLEANUP(manifest_closep) struct manifest *m = NULL;
	CLEANUP(buf_done) struct buf lines = { 0 };
	struct mends s = { 0 };
	struct manifest_row row;
	struct manifest_failure failure;
	struct err err;
	int more;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), 0);
	while ((more = manifest_next(m, &row, &failure, &err)) > 0)
		assert_int_equal(mends_add(&s, m, more == 1 ? &row : NULL, &err), 0);
	assert_int_equal(more, 0);
	failures = failed;
	assert_int_equal(mends_match(&s, NULL, 7, 100, &err), 0);
	assert_string_equal(asked, "/api/v1/failures?import=7");
	for (size_t n = 0; n < s.count; n++) {
		struct manifest_place at = { .line = n + 1, .offset = 1000 };
		bool stands = mends_place(&s, n, &at);
		assert_int_equal(stands, at.line <= 100);
		assert_int_equal(at.offset, stands ? 10 * at.line : 1000);
		buf_printf(&lines, "%llu ", (unsigned long long)at.line);
	}
	buf_str(&lines, "");
	assert_string_equal(lines.len ? lines.data : "", expected);
	mends_done(&s);
}

#define FAILED(line, values) "{\"line\":" #line ",\"offset\":" #line "0,\"values\":" values "}\n"
#define OBJECT(line, values, more) "{\"key\":\"k\",\"line\":" #line ",\"offset\":" #line "0,\"values\":" values ",\"more\":[" more "]}\n"
#define MORE(line, values) "{\"line\":" #line ",\"offset\":" #line "0,\"values\":" values "}"
#define VALUES(id, path) "{\"id\":\"" id "\",\"path\":\"" path "\"}"

static void test_rows_that_say_the_same(void **state)
{
	(void)state;
	expect("id,path\na,x\nb,y\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("b", "y")), "2 5 ");
	expect("path,id\ny,b\nx,a\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("b", "y")), "5 2 "); /* in any order, of columns too */
	expect("id,path\na,x\na,x\n", FAILED(2, VALUES("a", "x")) FAILED(3, VALUES("a", "x")) FAILED(4, VALUES("c", "z")), "2 3 ");
}

static void test_rows_of_the_same_identity(void **state)
{
	(void)state;
	expect("id,path\nb,mended\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("b", "y")), "5 ");
	expect("id,path\nb,mended\nnew,z\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("b", "y")) FAILED(6, VALUES("c", "y")), "5 102 ");
	/* What says the same is not taken from who says it. */
	expect("id,path\na,mended\na,x\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("a", "y")) FAILED(6, VALUES("c", "y")), "5 2 ");
	/* A third row of the id stands for none. */
	expect("id,path\na,1\na,2\na,3\n", FAILED(2, VALUES("a", "x")) FAILED(5, VALUES("a", "y")), "2 5 103 ");
}

static void test_rows_that_only_their_order_tells(void **state)
{
	(void)state;
	expect("path\nhere1\nhere2\n", FAILED(2, "{\"path\":\"n1\"}") FAILED(9, "{\"path\":\"n2\"}"), "2 9 ");
	expect("path\nhere2\n", FAILED(2, "{\"path\":\"n1\"}") FAILED(9, "{\"path\":\"n2\"}"), "101 "); /* which was it? */
	expect("path\nn2\nhere1\n", FAILED(2, "{\"path\":\"n1\"}") FAILED(9, "{\"path\":\"n2\"}"), "9 102 "); /* not where the order is another */
	expect("path\nhere1\nn2\n", FAILED(2, "{\"path\":\"n1\"}") FAILED(9, "{\"path\":\"n2\"}"), "2 9 ");
	expect("id,path\n", FAILED(2, VALUES("a", "x")), "");
	expect("id,path\na,x\n", "", "101 ");
}

/* One failure of a picture with several rows. */
static void test_all_rows_of_what_could_not_be_fetched(void **state)
{
	static const char failed[] = OBJECT(2, "{\"url\":\"http://h/a\",\"label\":\"1\"}", MORE(3, "{\"url\":\"http://h/a\",\"label\":\"2\"}") ","
		MORE(8, "{\"url\":\"http://h/a\",\"label\":\"3\"}")) FAILED(9, "{\"url\":\"http://h/b\",\"label\":\"4\"}");
	(void)state;
	expect("url,label\nhttp://h/a,1\nhttp://h/a,2\nhttp://h/a,3\nhttp://h/b,4\n", failed, "2 3 8 9 ");
	expect("url,label\nhttp://h/A,1\nhttp://h/A,2\nhttp://h/A,3\nhttp://h/b,4\n", failed, "2 3 8 9 ");
	expect("url,label\nhttp://h/a,3\nhttp://h/a,new\nhttp://h/a,1\n", failed, "8 3 2 ");
	/* A fourth one of the picture stands for its first, for the picture is what failed. */
	expect("url,label\nhttp://h/a,1\nhttp://h/a,2\nhttp://h/a,3\nhttp://h/a,new\nhttp://h/b,4\n", failed, "2 3 8 2 9 ");
}

static void test_rows_that_cannot_be_read_and_failures_without_a_line(void **state)
{
	(void)state;
	expect("id,path\na,x,too many\nb,y\n", FAILED(2, "{\"text\":\"a,x,too many\"}") FAILED(5, VALUES("b", "y")), "2 5 ");
	expect("id,path\na,x\n", "{\"key\":\"folder/file\",\"values\":{}}\n" FAILED(5, VALUES("a", "x")), "5 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_that_say_the_same),
		cmocka_unit_test(test_rows_of_the_same_identity),
		cmocka_unit_test(test_rows_that_only_their_order_tells),
		cmocka_unit_test(test_all_rows_of_what_could_not_be_fetched),
		cmocka_unit_test(test_rows_that_cannot_be_read_and_failures_without_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
