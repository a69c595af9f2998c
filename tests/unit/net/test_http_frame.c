/* test_http_frame.c - answers in one piece and byte by byte: what is head, body and end, and what is no HTTP. */
#include "daemon/base/cleanup.h"
#include "daemon/net/http_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIMIT 4096

struct seen {
	enum http_part last;
	int status;
	bool keep, closes;
	size_t left;         /* bytes that came behind the answer */
	struct buf head, body;
	const char *why;
};

static void seen_done(struct seen *s)
{
	buf_done(&s->head);
	buf_done(&s->body);
}

/* Until the answer ends, is none, or the bytes do. */
static enum http_part feed(struct http_frame *f, struct seen *s, struct slice *rest)
{
	struct slice piece;
	enum http_part part;
	while ((part = http_frame_next(f, rest, &piece)) == HTTP_HEAD || part == HTTP_BODY) {
		assert_true(part == HTTP_HEAD || piece.len > 0);
		buf_add(part == HTTP_HEAD ? &s->head : &s->body, piece.p, piece.len);
	}
	return part;
}

static void hear(struct seen *s, struct slice text, bool bodiless, size_t piece)
{
	CLEANUP(http_frame_done) struct http_frame f;
	http_frame_init(&f, bodiless, LIMIT);
	s->last = HTTP_MORE;
	for (size_t at = 0; at < text.len && s->last == HTTP_MORE; at += piece) {
		size_t n = text.len - at < piece ? text.len - at : piece;
		struct slice rest = { text.p + at, n };
		s->last = feed(&f, s, &rest);
		s->left = text.len - at - n + rest.len;
	}
	s->status = f.status;
	s->keep = f.keep;
	s->closes = http_frame_closed(&f);
	s->why = f.why;
}

struct row {
	const char *text, *body;
	enum http_part last;
	bool keep, closes;
	size_t left;
};

static void check_rows(const struct row *rows, size_t count, bool bodiless)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t piece = 1; piece < 40; piece += piece < 4 ? 1 : 35) {
			CLEANUP(seen_done) struct seen s = { .status = 0 };
			hear(&s, slice_of(rows[i].text), bodiless, piece);
			bool same = slice_eq(buf_slice(&s.body), slice_of(rows[i].body));
			if (s.last != rows[i].last || !same || s.left != rows[i].left || s.closes != rows[i].closes ||
			    (s.last == HTTP_END && s.keep != rows[i].keep))
				fail_msg("%s in pieces of %zu: part %d, body '%s', %zu left, keep %d, closes %d: %s", rows[i].text, piece,
					s.last, s.body.data ? s.body.data : "", s.left, s.keep, s.closes, s.why ? s.why : "");
		}
	}
}
#define CHECK(rows, bodiless) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), bodiless)

static void test_answers_end_where_they_say(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200\r\ncontent-length:3 \r\n\r\nabcd", "abc", HTTP_END, true, true, 1 },
		{ "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", "abc", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "abc", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 304 No\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "abc", HTTP_MORE, false, false, 0 },
		{ "HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc", "abc", HTTP_MORE, false, true, 0 },
		{ "HTTP/1.1 200 OK\r\n\r\n", "", HTTP_MORE, false, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Len", "", HTTP_MORE, false, false, 0 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", HTTP_END, false, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\na", "a", HTTP_END, false, true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: closed\r\n\r\na", "a", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\na", "a", HTTP_END, true, true, 0 },
	};
	CHECK(rows, false);
}

static void test_chunks_are_put_together(void **state)
{
	(void)state;
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	static const struct row rows[] = {
		{ CHUNKED "3\r\nabc\r\n0\r\n\r\n", "abc", HTTP_END, true, true, 0 },
		{ CHUNKED "03;a=\"b\"\r\nabc\r\nA \r\n0123456789\r\n0\r\nX: trailer\r\nY: z\r\n\r\nHTTP", "abc0123456789", HTTP_END, true, true, 4 },
		{ CHUNKED "3\nabc\n0\n\n", "abc", HTTP_END, true, true, 0 },
		{ CHUNKED "0\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ CHUNKED "3\r\nabc\r\n0\r\n", "abc", HTTP_MORE, false, false, 0 },
		{ CHUNKED "3\r\nabc\r\n", "abc", HTTP_MORE, false, false, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", HTTP_END, false, true, 0 },
	};
	CHECK(rows, false);
}

static void test_the_answer_to_a_head_has_no_body(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", HTTP_END, true, true, 0 },
		{ "HTTP/1.1 200 OK\r\n\r\n", "", HTTP_END, true, true, 0 },
	};
	CHECK(rows, true);
}

static void test_interim_answers_are_passed_over(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 100; piece += 33) {
		CLEANUP(seen_done) struct seen s = { .status = 0 };
		hear(&s, SLICE_LIT("HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Go\r\n\r\nHTTP/1.1 206 Part\r\nContent-Length: 1\r\nX: y\r\n\r\nz"),
			false, piece);
		assert_int_equal(s.last, HTTP_END);
		assert_int_equal(s.status, 206);
		assert_string_equal(s.head.data, "Content-Length: 1\r\nX: y");
		assert_string_equal(s.body.data, "z");
	}
}

static void test_what_is_no_http(void **state)
{
	(void)state;
	static const struct slice rows[] = {
		SLICE_LIT("<html>"), SLICE_LIT("HTTP/2 200\r\n"), SLICE_LIT("HTTP/1.1 20\r\n\r\n"), SLICE_LIT("HTTP/1.1 2000\r\n\r\n"),
		SLICE_LIT("HTTP/1.1  200\r\n\r\n"), SLICE_LIT("HTTP/1.1 099\r\n\r\n"), SLICE_LIT("HTTP/1.1 101 Other\r\n\r\n"),
		SLICE_LIT("\r\nHTTP/1.1 200 OK\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n"), SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), SLICE_LIT("HTTP/1.1 200 OK\r\n folded: first\r\n\r\n"),
		SLICE_LIT("HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"),
		SLICE_LIT(CHUNKED "\r\n"), SLICE_LIT(CHUNKED "x\r\n"), SLICE_LIT(CHUNKED ";\r\n"), SLICE_LIT(CHUNKED "-1\r\n"),
		SLICE_LIT(CHUNKED "1000000000000000\r\n"), SLICE_LIT(CHUNKED "1\r\nab"), SLICE_LIT(CHUNKED "1\r\na\r\rb"),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece < 200; piece += 99) {
			CLEANUP(seen_done) struct seen s = { .status = 0 };
			hear(&s, rows[i], false, piece);
			if (s.last != HTTP_BAD || !s.why)
				fail_msg("taken: %s", rows[i].p);
		}
	}
}

/* Heads, trailers and extensions are bounded; chunks are not counted: a large body has many. */
static void test_heads_are_bounded_and_bodies_are_not(void **state)
{
	(void)state;
	static const char *const begins[] = { "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 100 Go\r\n", CHUNKED "0\r\n", CHUNKED "1" };
	static const char *const repeated[] = { "X: y\r\n", "X: y\r\n", "X: y\r\n", ";x" };
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		CLEANUP(seen_done) struct seen s = { .status = 0 };
		CLEANUP(buf_done) struct buf text = { 0 };
		buf_str(&text, begins[i]);
		while (text.len < 2 * LIMIT)
			buf_str(&text, repeated[i]);
		hear(&s, buf_slice(&text), false, 100);
		assert_int_equal(s.last, HTTP_BAD);
	}
	CLEANUP(seen_done) struct seen s = { .status = 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	buf_str(&text, CHUNKED);
	for (int i = 0; i < LIMIT; i++)
		buf_str(&text, "1;x\r\na\r\n");
	buf_str(&text, "0\r\n\r\n");
	hear(&s, buf_slice(&text), false, 100);
	assert_int_equal(s.last, HTTP_END);
	assert_int_equal(s.body.len, LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_end_where_they_say),
		cmocka_unit_test(test_chunks_are_put_together),
		cmocka_unit_test(test_the_answer_to_a_head_has_no_body),
		cmocka_unit_test(test_interim_answers_are_passed_over),
		cmocka_unit_test(test_what_is_no_http),
		cmocka_unit_test(test_heads_are_bounded_and_bodies_are_not),
	};
	return cmocka_run_group_tests_name("http_frame", tests, NULL, NULL);
}
