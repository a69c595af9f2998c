/* test_csv.c - RFC 4180 whole, records that break its rules, and where they are. */
#include "tests/unit/manifest/fixture.h"

#include "daemon/manifest/csv.h"

/* Records as "a|b|c\n" with the place in front; bad ones with a '!'. */
static void read_all(struct slice text, size_t piece, size_t field_max, size_t record_max, struct buf *to)
{
	struct feed f = { .text = text, .piece = piece };
	struct window w;
	struct csv c;
	struct csv_record r;
	struct err err = { 0 };
	assert_int_equal(window_init(&w, unpack_new(feed_read, &f, UINT64_MAX), &err), 0);
	csv_init(&c, &w, ',', field_max, record_max);
	buf_str(to, "");
	for (int got; (got = csv_next(&c, &r, &err)) != CSV_END;) {
		assert_true(got > 0);
		struct manifest_place at = got == CSV_BAD ? r.bad_at : r.at;
		buf_printf(to, "%s%llu:%llu@%llu ", got == CSV_BAD ? "!" : "", (unsigned long long)at.line,
			(unsigned long long)at.column, (unsigned long long)at.offset);
		if (got == CSV_BAD)
			buf_str(to, r.reason);
		for (size_t i = 0; got == CSV_RECORD && i < r.count; i++) {
			buf_str(to, i ? "|" : "");
			buf_add(to, r.fields[i].p, r.fields[i].len);
		}
		buf_char(to, '\n');
	}
	csv_done(&c);
	window_done(&w);
}

static void expect_limited(struct slice text, size_t field_max, size_t record_max, const char *expected)
{
	for (size_t piece = 1; piece < 70; piece = piece < 8 ? piece + 1 : piece * 2) {
		CLEANUP(buf_done) struct buf got = { 0 };
		read_all(text, piece, field_max, record_max, &got);
		assert_string_equal(got.data, expected);
	}
}

#define RECORDS(text, expected) expect_limited(SLICE_LIT(text), 1000, 10000, expected)

static void test_rfc_4180(void **state)
{
	(void)state;
	RECORDS("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "1:1@0 aaa|bbb|ccc\n2:1@13 zzz|yyy|xxx\n");
	RECORDS("aaa,bbb\nzzz,yyy", "1:1@0 aaa|bbb\n2:1@8 zzz|yyy\n");
	RECORDS("\"a\"\"b\",\"c,d\",\"e\nf\"\n1,2,3\n", "1:1@0 a\"b|c,d|e\nf\n3:1@19 1|2|3\n");
	RECORDS("\"\",\"\"\"\",,\n", "1:1@0 |\"||\n");
	RECORDS(" a , b \n", "1:1@0  a | b \n");
	RECORDS("a,\"b\"", "1:1@0 a|b\n");
	RECORDS("a,", "1:1@0 a|\n");
	RECORDS(",", "1:1@0 |\n");
	RECORDS("", "");
}

static void test_line_ends_and_empty_lines(void **state)
{
	(void)state;
	RECORDS("a\rb\r\nc\nd", "1:1@0 a\n2:1@2 b\n3:1@5 c\n4:1@7 d\n");
	RECORDS("\n\r\n\ra,b\n\n\nc,d\n\n", "4:1@4 a|b\n7:1@10 c|d\n");
	RECORDS("\"a\r\nb\",c\r\nd,e", "1:1@0 a\r\nb|c\n3:1@10 d|e\n");
	RECORDS("\"\"\nb\n", "1:1@0 \n2:1@3 b\n");
}

static void test_quotes_within_a_field_are_characters(void **state)
{
	(void)state;
	RECORDS("5\" disk,a\"b\"\nc,d\n", "1:1@0 5\" disk|a\"b\"\n2:1@13 c|d\n");
	RECORDS("a, \"b\"\n", "1:1@0 a| \"b\"\n");
}

static void test_reading_goes_on_behind_bad_records(void **state)
{
	(void)state;
	RECORDS("a,\"b\"c,d\ne,f\n", "!1:6@5 text follows the quote that closes a field\n2:1@9 e|f\n");
	RECORDS("a,\"b\nc,d\ne,f\n", "!1:3@2 the quote that opens here is not closed\n2:1@5 c|d\n3:1@9 e|f\n");
	RECORDS("\"x\ny\" z,\n\"q\"\n", "!2:3@5 text follows the quote that closes a field\n3:1@9 q\n");
	RECORDS("a,\"b", "!1:3@2 the quote that opens here is not closed\n");
	RECORDS("a\n\"\"\"\nb\n", "1:1@0 a\n!2:1@2 the quote that opens here is not closed\n3:1@6 b\n");
	RECORDS("a,b\0c\nd,e\n", "!1:4@3 there is a NUL byte\n2:1@6 d|e\n");
}

static void test_limits(void **state)
{
	(void)state;
	expect_limited(SLICE_LIT("a,bbbbb\nc,d\n\"eeeee\"\nf\n"), 4, 1000,
		"!1:3@2 the field is longer than 4 bytes\n2:1@8 c|d\n!3:1@12 the field is longer than 4 bytes\n4:1@20 f\n");
	char text[400];
	memset(text, 'x', sizeof(text));
	memcpy(text, "a,b\n", 4);
	memcpy(text + sizeof(text) - 5, "\nc,d\n", 5);
	expect_limited((struct slice){ text, sizeof(text) }, 100, 100,
		"1:1@0 a|b\n!2:1@4 the row is longer than 100 bytes\n3:1@396 c|d\n");
	text[4] = '"'; /* a quote that is not closed within the limit: the next line is tried */
	expect_limited((struct slice){ text, sizeof(text) }, 100, 100, "1:1@0 a|b\n"
		"!2:1@4 the quote that opens here is not closed within the limit of a row\n3:1@396 c|d\n");
}

/* Against an implementation that is slow and obvious, on texts made of the bytes that matter. */
static void slow_records(struct slice text, struct buf *to)
{
	size_t i = 0;
	while (i < text.len) {
		struct buf record = { 0 };
		size_t begin = i;
		bool bad = false;
		for (;;) {
			if (i < text.len && text.p[i] == '"') {
				size_t open = i++;
				while (i < text.len && (text.p[i] != '"' || (i + 1 < text.len && text.p[i + 1] == '"'))) {
					if (text.p[i] == '"')
						i++;
					buf_char(&record, text.p[i++]);
				}
				bad = i++ >= text.len;
				if (bad)
					i = open;
				bad = bad || (i < text.len && text.p[i] != ',' && text.p[i] != '\n');
			}
			while (i < text.len && text.p[i] != '\n' && (bad || text.p[i] != ','))
				buf_char(&record, text.p[i++]);
			if (i >= text.len || text.p[i] == '\n')
				break;
			buf_char(&record, '|');
			i++;
		}
		if (bad)
			buf_str(to, "!\n");
		else if (i > begin)
			buf_printf(to, "%.*s\n", (int)record.len, record.data ? record.data : "");
		buf_done(&record);
		i++;
	}
}

static void test_random_texts(void **state)
{
	(void)state;
	static const char bytes[] = "\"\"\",,\nab";
	unsigned int seed = 17;
	for (int round = 0; round < 20000; round++) {
		char text[200];
		size_t len = (size_t)rand_r(&seed) % sizeof(text);
		for (size_t i = 0; i < len; i++)
			text[i] = bytes[(size_t)rand_r(&seed) % (sizeof(bytes) - 1)];
		CLEANUP(buf_done) struct buf expected = { 0 };
		CLEANUP(buf_done) struct buf got = { 0 };
		buf_str(&expected, "");
		slow_records((struct slice){ text, len }, &expected);
		struct feed f = { .text = { text, len }, .piece = 1 + (size_t)rand_r(&seed) % 90 };
		struct window w;
		struct csv c;
		struct csv_record r;
		assert_int_equal(window_init(&w, unpack_new(feed_read, &f, UINT64_MAX), NULL), 0);
		csv_init(&c, &w, ',', 1000, 1000);
		buf_str(&got, "");
		for (int result; (result = csv_next(&c, &r, NULL)) != CSV_END;) {
			for (size_t i = 0; result == CSV_RECORD && i < r.count; i++)
				buf_printf(&got, "%s%.*s", i ? "|" : "", (int)r.fields[i].len, r.fields[i].p);
			buf_str(&got, result == CSV_BAD ? "!\n" : "\n");
		}
		csv_done(&c);
		window_done(&w);
		assert_string_equal(got.data, expected.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_4180),
		cmocka_unit_test(test_line_ends_and_empty_lines),
		cmocka_unit_test(test_quotes_within_a_field_are_characters),
		cmocka_unit_test(test_reading_goes_on_behind_bad_records),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_random_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
