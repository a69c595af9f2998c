/* test_manifest.c - the frame: compression, UTF-16, limits, recognising a format, leaving and going on. */
#include "tests/unit/manifest/fixture.h"

#include "daemon/base/mem.h"

#include <malloc.h>
#include <zlib.h>
#include <zstd.h>

#define CLARIFAI "inputid,input,concepts,metadata,geopoints\n" \
	"a,https://h/a.jpg?X-Amz-Signature=1,\"cat,dog\",\"{'k': \"\"it's\"\"}\",\"8.5,47.4\"\n" \
	"b,./b.jpg,,,\n"
#define CLARIFAI_ROWS \
	"{\"id\":\"a\",\"url\":\"https://h/a.jpg?X-Amz-Signature=1\",\"metadata\":{\"k\":\"it's\",\"geopoints\":[8.5,47.4]}," \
	"\"labels\":[{\"concept\":\"cat\"},{\"concept\":\"dog\"}]}\n{\"id\":\"b\",\"path\":\"./b.jpg\"}\n"

static void gzip(struct slice text, struct buf *to)
{
	z_stream z = { 0 };
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t room = deflateBound(&z, text.len);
	z.next_in = (Bytef *)(uintptr_t)text.p;
	z.avail_in = (uInt)text.len;
	z.next_out = (Bytef *)buf_grow(to, room);
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->len += room - z.avail_out;
	(void)deflateEnd(&z);
}

static void zstd(struct slice text, struct buf *to)
{
	size_t room = ZSTD_compressBound(text.len);
	to->len += ZSTD_compress(buf_grow(to, room), room, text.p, text.len, 3);
}

static void utf16(struct slice text, bool little, struct buf *to)
{
	buf_str(to, little ? "\xff\xfe" : "\xfe\xff");
	for (size_t i = 0; i < text.len; i++) {
		const char unit[2] = { little ? text.p[i] : '\0', little ? '\0' : text.p[i] };
		buf_add(to, unit, 2);
	}
}

static void test_packed_and_recoded_texts_give_the_same_rows(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	EXPECT(CLARIFAI, CLARIFAI_ROWS);
	EXPECT("\xef\xbb\xbf" CLARIFAI, CLARIFAI_ROWS);
	gzip(SLICE_LIT(CLARIFAI), &b);
	expect_rows_of(buf_slice(&b), NULL, CLARIFAI_ROWS);
	gzip(SLICE_LIT("c,/c.jpg,,,\n"), &b); /* two members, as cat makes of two files */
	buf_add(&b, "\0\0\0\0\0", 5);
	expect_rows_of(buf_slice(&b), NULL, CLARIFAI_ROWS "{\"id\":\"c\",\"path\":\"/c.jpg\"}\n");
	b.len = 0;
	zstd(SLICE_LIT(CLARIFAI), &b);
	zstd(SLICE_LIT("c,/c.jpg,,,\n"), &b);
	expect_rows_of(buf_slice(&b), NULL, CLARIFAI_ROWS "{\"id\":\"c\",\"path\":\"/c.jpg\"}\n");
	for (int little = 0; little < 2; little++) {
		CLEANUP(buf_done) struct buf packed = { 0 };
		b.len = 0;
		utf16(SLICE_LIT(CLARIFAI), little, &b);
		expect_rows_of(buf_slice(&b), NULL, CLARIFAI_ROWS);
		gzip(buf_slice(&b), &packed);
		expect_rows_of(buf_slice(&packed), NULL, CLARIFAI_ROWS);
	}
}

static void test_utf16_characters(void **state)
{
	(void)state;
	/* U+00E9, U+4E2D, U+1F408 as a pair, half a pair alone, an odd byte at the end */
	static const char text[] = "\xff\xfe" "t\0e\0x\0t\0\n\0" "\xe9\0" "\x2d\x4e" "\x3d\xd8\x08\xdc" "\n\0" "\x3d\xd8" "a\0"
		"\n\0" "b\0" "\n\0" "c";
	expect_rows_of((struct slice){ text, sizeof(text) - 1 }, NULL, "{\"text\":\"é中🐈\"}\n! 3:1@15 the field is not UTF-8\n"
		"{\"text\":\"b\"}\n! 5:1@22 the field is not UTF-8\n");
}

static void test_damaged_texts(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf b = { 0 };
	CLEANUP(buf_done) struct buf z = { 0 };
	gzip(SLICE_LIT(CLARIFAI), &b);
	expect_rows_of((struct slice){ b.data, b.len - 5 }, NULL,
		CLARIFAI_ROWS "!! manifest: it ends in the middle of its gzip data; copy it again\n");
	b.data[b.len - 6] ^= 1; /* of the CRC */
	expect_rows_of(buf_slice(&b), NULL,
		CLARIFAI_ROWS "!! manifest: its gzip data are damaged: incorrect data check\n");
	b.data[b.len - 6] ^= 1;
	buf_str(&b, "garbage");
	expect_rows_of(buf_slice(&b), NULL, CLARIFAI_ROWS "!! manifest: bytes that are not gzip follow its compressed part; "
		"pack it again\n");
	zstd(SLICE_LIT(CLARIFAI), &z);
	expect_rows_of((struct slice){ z.data, z.len - 3 }, NULL,
		"!! manifest: it ends in the middle of its zstd data; copy it again\n");
}

static void test_what_is_no_manifest(void **state)
{
	(void)state;
	EXPECT("", "!! manifest: it is empty\n");
	EXPECT("\n \r\n", "!! manifest: it is empty\n");
	EXPECT("hello\n", "!! manifest: its format is not recognised; say which it is with --format\n");
	EXPECT("0 0.5 0.5 0.25 0.25\n", "!! manifest: its format is not recognised; say which it is with --format\n"); /* labels of YOLO */
	EXPECT("u\0r\0l\0\n\0", "!! manifest: it is not text (UTF-16 needs its byte order mark)\n");
	EXPECT("a,b\n1,2\n", "!! manifest: no column says where the files or texts are, delimiter ',', columns a b; say which "
		"with --columns url=NAME, or name it url, path or text: the first line has the names\n");
}

static void test_limits(void **state)
{
	(void)state;
	struct manifest_options o = { .text_max = 60, .spool = -1 };
	expect_rows_of(SLICE_LIT(CLARIFAI), &o, "!! manifest: it is longer than 60 bytes; split it, or raise the limit\n");
	/* 200 MiB of one character: more than 1,000 to 1 */
	size_t len = 200U << 20;
	char *text = mem_alloc(len);
	memset(text, 'x', len);
	memcpy(text, "text\n", 5);
	CLEANUP(buf_done) struct buf b = { 0 };
	zstd((struct slice){ text, len }, &b);
	free(text);
	struct feed f = { .text = buf_slice(&b), .piece = SIZE_MAX };
	struct manifest *m = NULL;
	struct err err = { 0 };
	struct manifest_row row;
	struct manifest_failure failure;
	o.text_max = 0;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), 0);
	assert_int_equal(manifest_next(m, &row, &failure, &err), -1);
	assert_int_equal(err.class, ERR_REJECT);
	assert_non_null(strstr(err.text, "it unpacks to more than 1000 times its size"));
	assert_int_equal(manifest_next(m, &row, &failure, &err), -1); /* again the same */
	assert_non_null(strstr(err.text, "it unpacks to more than 1000 times its size"));
	manifest_close(m);
}

static void test_resuming(void **state)
{
	(void)state;
	static const char text[] = "url,label\nhttps://h/1,\"a\nb\"\nhttps://h/2\nhttps://h/3,c\n\nhttps://h/4,\"d\nhttps://h/5,e\n";
	size_t seeks = 0;
	CLEANUP(buf_done) struct buf b = { 0 };
	resume_everywhere(SLICE_LIT(text), NULL, false, NULL);
	resume_everywhere(SLICE_LIT(text), NULL, true, NULL);
	gzip(SLICE_LIT(text), &b);
	resume_everywhere(buf_slice(&b), NULL, true, &seeks);
	assert_int_equal(seeks, 0);
	b.len = 0;
	utf16(SLICE_LIT(text), true, &b);
	resume_everywhere(buf_slice(&b), NULL, true, &seeks);
	assert_int_equal(seeks, 0);
	resume_everywhere(SLICE_LIT("\xef\xbb\xbfhttps://h/1\nhttps://h/2\n# no row\n\n./c"), NULL, true, &seeks);
}

/* A plain file is not read through up to where the reader was left. */
static void test_resuming_seeks(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf text = { 0 };
	buf_str(&text, "url,label\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "https://h/%d,\"a\nb\"\n", i);
	struct feed f = { .text = buf_slice(&text), .piece = SIZE_MAX };
	struct manifest_options o = { .spool = -1, .seek = feed_seek };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
	for (int i = 0; i < 90000; i++)
		assert_int_equal(manifest_next(m, &row, &failure, NULL), 1);
	manifest_tell(m, &o.from);
	manifest_close(m);
	f = (struct feed){ .text = buf_slice(&text), .piece = SIZE_MAX };
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
	assert_int_equal(manifest_next(m, &row, &failure, NULL), 1);
	assert_true(slice_eq(row.content, SLICE_LIT("https://h/90000")));
	assert_int_equal(row.at.line, 180002);
	assert_int_equal(f.seeks, 1);
	assert_true(manifest_read_bytes(m) < text.len / 2);
	manifest_tell(m, &o.from);
	assert_int_equal(o.from.rows, 90001);
	manifest_close(m);
	o.from.offset = text.len + 1; /* the file was cut since */
	o.seek = NULL;
	struct err err = { 0 };
	f = (struct feed){ .text = buf_slice(&text), .piece = SIZE_MAX };
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, &err), -1);
	assert_non_null(strstr(err.text, "it is shorter than it was"));
}

/* A manifest that is made while it is read. */
struct endless {
	uint64_t rows, next;
	bool list;
	struct buf made;
	size_t at;
};

static ssize_t endless_read(void *arg, void *p, size_t n, struct err *err)
{
	struct endless *e = arg;
	(void)err;
	if (e->at == e->made.len) {
		e->made.len = e->at = 0;
		for (int i = 0; i < 1000 && e->next < e->rows; i++, e->next++) {
			buf_str(&e->made, e->list ? "{\"url\":\"https://h/" : "");
			buf_u64(&e->made, e->next);
			buf_str(&e->made, e->list ? ".jpg\",\"label\":\"cat\"},\n" : ",./images/a.jpg,\"cat,dog\",{'k': 'v'}\n");
		}
		if (e->list && e->next == e->rows && e->made.len)
			buf_str(&e->made, "]");
	}
	n = n < e->made.len - e->at ? n : e->made.len - e->at;
	if (n)
		memcpy(p, e->made.data + e->at, n);
	e->at += n;
	return (ssize_t)n;
}

/* What the heap holds after a thousand rows it holds after millions. */
static void read_endless(uint64_t rows, bool list)
{
	struct endless e = { .rows = rows, .list = list };
	struct manifest_options o = { .spool = -1 };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	buf_str(&e.made, list ? "[" : "inputid,input,concepts,metadata\n");
	assert_int_equal(manifest_open(&o, endless_read, &e, &m, NULL), 0);
	size_t held = 0;
	for (uint64_t i = 0; i < rows; i++) {
		assert_int_equal(manifest_next(m, &row, &failure, NULL), 1);
		assert_int_equal(row.label_count, list ? 1 : 2);
		if (i == 1000)
			held = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	assert_int_equal(manifest_next(m, &row, &failure, NULL), 0);
	assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <= held + 65536);
	manifest_close(m);
	buf_done(&e.made);
}

static void test_memory_does_not_grow_with_the_rows(void **state)
{
	(void)state;
	bool slow = getenv("INLET_SLOW") != NULL;
	read_endless(slow ? 20000 : 5000000, false);
	read_endless(slow ? 20000 : 1000000, true);
}

static void describe(struct slice text, const char *name, const char *expected)
{
	struct feed f = { .text = text, .piece = SIZE_MAX };
	struct manifest_options o = { .spool = -1, .name = name };
	struct manifest *m = NULL;
	CLEANUP(buf_done) struct buf b = { 0 };
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
	manifest_describe(m, &b);
	assert_string_equal(b.data, expected);
	assert_true(manifest_read_bytes(m) <= text.len);
	manifest_close(m);
}

static void test_one_line_says_what_it_is(void **state)
{
	(void)state;
	CLEANUP(buf_done) struct buf wide = { 0 };
	CLEANUP(buf_done) struct buf b = { 0 };
	utf16(SLICE_LIT(CLARIFAI), true, &wide);
	gzip(buf_slice(&wide), &b);
	describe(buf_slice(&b), "M.csv.gz",
		"M.csv.gz: Clarifai CSV (gzip, UTF-16LE), delimiter ',', columns inputid input concepts metadata geopoints");
	describe(SLICE_LIT("\xef\xbb\xbfurl\tlabel\n"), "x\n.tsv",
		"x\\x0a.tsv: CSV (UTF-8 with BOM), delimiter tab, columns url label");
	describe(SLICE_LIT("s3://b/k\n"), "l", "l: list of URLs");
}

static void test_values_and_header(void **state)
{
	(void)state;
	static const char text[] = "url,label\r\nhttps://h/1,\"a \"\"b\"\"\"\r\nx,y,z\r\nhttps://h/2,\xff\n";
	static const char *const expected[] = { "{\"url\":\"https://h/1\",\"label\":\"a \\\"b\\\"\"}", "{\"text\":\"x,y,z\"}",
		"{\"text\":\"https://h/2,\\\\xff\"}" };
	struct feed f = { .text = SLICE_LIT(text), .piece = 3 };
	struct manifest_options o = { .spool = -1 };
	struct manifest *m = NULL;
	struct manifest_row row;
	struct manifest_failure failure;
	struct slice header;
	assert_int_equal(manifest_open(&o, feed_read, &f, &m, NULL), 0);
	assert_int_equal(manifest_header(m, &header), 0);
	assert_true(slice_eq(header, SLICE_LIT("url,label\n")));
	for (size_t i = 0; manifest_next(m, &row, &failure, NULL) > 0; i++) {
		CLEANUP(buf_done) struct buf b = { 0 };
		manifest_values(m, &b);
		assert_string_equal(b.data, expected[i]);
	}
	manifest_close(m);
}

static void test_format_names(void **state)
{
	(void)state;
	const char *const *names = manifest_format_names();
	assert_string_equal(names[0], "auto");
	for (size_t i = 0; names[i]; i++) {
		bool known = false;
		assert_string_equal(manifest_format_name(manifest_format_parse(slice_of(names[i]), &known)), names[i]);
		assert_true(known);
	}
	bool known = true;
	(void)manifest_format_parse(SLICE_LIT("cvs"), &known);
	assert_false(known);
	assert_int_equal(manifest_input_parse(SLICE_LIT("file_path"), &known), INPUT_FILE_PATH);
	assert_true(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed_and_recoded_texts_give_the_same_rows),
		cmocka_unit_test(test_utf16_characters),
		cmocka_unit_test(test_damaged_texts),
		cmocka_unit_test(test_what_is_no_manifest),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_resuming),
		cmocka_unit_test(test_resuming_seeks),
		cmocka_unit_test(test_memory_does_not_grow_with_the_rows),
		cmocka_unit_test(test_one_line_says_what_it_is),
		cmocka_unit_test(test_values_and_header),
		cmocka_unit_test(test_format_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
