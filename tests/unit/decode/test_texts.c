/* test_texts.c - texts through a real, sandboxed worker. */
#include "tests/unit/decode/decode_fixture.h"

#define TEXT(s) (s), sizeof(s) - 1

static void assert_text(struct decode_pool *p, const char *bytes, size_t n, const char *expected, const char *charset)
{
	struct decode_result r;
	struct err err;
	CLEANUP(freep) char *fact = mem_printf("\"charset\":\"%s\"", charset);
	if (run(p, bytes, n, &r, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(r.decoded);
	assert_int_equal(r.media, MEDIA_TEXT);
	assert_string_equal(r.text.data, expected);
	assert_true(has_fact(&r, fact));
	if (n == strlen(expected) && memcmp(bytes, expected, n) == 0)
		assert_int_equal(r.form.len, 0);
	else
		assert_string_equal(r.form.data, expected);
	decode_result_done(&r);
}

static void test_plain_utf8_is_its_own_form(void **state)
{
	assert_text(*state, TEXT("Grüße aus Köln\nzweite Zeile\n"), "Grüße aus Köln\nzweite Zeile\n", "utf-8");
}

static void test_line_ends_become_lf(void **state)
{
	assert_text(*state, TEXT("one\r\ntwo\rthree\r\r\nfour\n"), "one\ntwo\nthree\n\nfour\n", "utf-8");
}

static void test_bom_is_dropped(void **state)
{
	assert_text(*state, TEXT("\xef\xbb\xbfhello world"), "hello world", "utf-8");
}

static void test_latin1(void **state)
{
	static const char text[] = "Der K\xf6nig hat gr\xfc\xdf"
				   "end die Stra\xdf"
				   "e \xfc"
				   "berquert; die B\xe4ume waren gr\xfcn.\n";
	struct decode_result r;
	struct err err;
	assert_int_equal(run(*state, TEXT(text), &r, &err), 0);
	assert_string_equal(r.text.data, "Der König hat grüßend die Straße überquert; die Bäume waren grün.\n");
	assert_string_equal(r.form.data, r.text.data);
	decode_result_done(&r);
}

static void test_windows_1251(void **state)
{
	static const char text[] =
		"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0? \xdd\xf2\xee \xef\xf0\xee\xf1\xf2\xee\xe9 "
		"\xf2\xe5\xea\xf1\xf2 \xed\xe0 \xf0\xf3\xf1\xf1\xea\xee\xec \xff\xe7\xfb\xea\xe5.\n";
	assert_text(*state, TEXT(text), "Привет, как дела? Это простой текст на русском языке.\n", "windows-1251");
}

static void test_utf16_with_mark(void **state)
{
	assert_text(*state, TEXT("\xff\xfeh\0i\0 \0\xe9\0\r\0\n\0"), "hi é\n", "utf-16le");
	assert_text(*state, TEXT("\xfe\xff\0h\0i\0 \0\xe9\0\n"), "hi é\n", "utf-16be");
}

static void test_decomposed_is_composed(void **state)
{
	assert_text(*state, TEXT("cafe\xcc\x81 a\xcc\x8a\n"), "café å\n", "utf-8");
}

static void test_same_text_in_two_charsets_has_one_canonical_id(void **state)
{
	struct decode_result a, b;
	struct err err;
	assert_int_equal(run(*state, TEXT("na\xc3\xafve caf\xc3\xa9\n"), &a, &err), 0);
	assert_int_equal(run(*state, TEXT("\xff\xfen\0a\0\xef\0v\0e\0 \0c\0a\0f\0e\0\x01\x03\r\0\n\0"), &b, &err), 0);
	assert_true(content_id_eq(&a.canonical, &b.canonical));
	assert_false(content_id_none(&a.canonical));
	decode_result_done(&a);
	decode_result_done(&b);
}

static void test_lines_and_characters_are_counted(void **state)
{
	struct decode_result r;
	struct err err;
	assert_int_equal(run(*state, TEXT("a\xc3\xa9\nb\nlast"), &r, &err), 0);
	assert_true(has_fact(&r, "\"lines\":3"));
	assert_true(has_fact(&r, "\"characters\":9"));
	decode_result_done(&r);
}

static void test_broken_utf8_names_the_byte(void **state)
{
	assert_rejected(*state, TEXT("Na\xc3\xafve caf\xc3\xa9 \xc3 broken"),
			"byte 0xc3 at offset 13 is not valid utf-8");
	assert_rejected(*state, TEXT("some text \x81\x8d\x8f here"), "byte 0x81 at offset 10 is not valid UTF-8");
	assert_rejected(*state, TEXT("\xef\xbb\xbfmarked \xff text"), "byte 0xff at offset 10");
}

static void test_broken_utf16_names_the_offset(void **state)
{
	assert_rejected(*state, TEXT("\xff\xfeh\0i\0 \0t\0e\0x\0t"), "byte 0x74 at offset 14 is not valid utf-16le");
}

static void test_long_text_is_cut_at_a_character_for_models(void **state)
{
	struct buf text = { 0 };
	struct decode_result r;
	struct err err;
	buf_char(&text, 'x');
	while (text.len < 3 * TEXT_INPUT_MAX)
		buf_str(&text, "é ü\r\n");
	assert_int_equal(run(*state, text.data, text.len, &r, &err), 0);
	assert_in_range(r.text.len, TEXT_INPUT_MAX - 3, TEXT_INPUT_MAX);
	assert_true((r.text.data[r.text.len - 1] & 0xc0) != 0xc0); /* does not end in the middle of a character */
	assert_memory_equal(r.text.data, r.form.data, r.text.len);
	assert_int_equal(r.form.len, text.len - (text.len - 1) / 7);
	decode_result_done(&r);
	buf_done(&text);
}

static void test_pieces_do_not_change_the_text(void **state)
{
	struct buf composed = { 0 };
	struct buf decomposed = { 0 };
	struct decode_result a, b;
	struct err err;
	for (int i = 0; i < 40000; i++) { /* accents on both sides of every border between pieces */
		buf_str(&composed, i % 7 ? "é" : "日本 ");
		buf_str(&decomposed, i % 7 ? "e\xcc\x81" : "日本 ");
	}
	assert_int_equal(run(*state, composed.data, composed.len, &a, &err), 0);
	assert_int_equal(run(*state, decomposed.data, decomposed.len, &b, &err), 0);
	assert_true(content_id_eq(&a.canonical, &b.canonical));
	assert_int_equal(b.form.len, composed.len);
	assert_memory_equal(b.form.data, composed.data, composed.len);
	decode_result_done(&a);
	decode_result_done(&b);
	buf_done(&composed);
	buf_done(&decomposed);
}

static void test_json_and_csv_are_texts(void **state)
{
	struct decode_result r;
	struct err err;
	assert_int_equal(run(*state, TEXT("{\"a\": [1, 2, 3]}\n"), &r, &err), 0);
	assert_string_equal(r.media_type, "application/json");
	assert_int_equal(r.media, MEDIA_TEXT);
	assert_true(r.decoded);
	decode_result_done(&r);
}

static void test_text_over_its_limit_names_the_limit(void **state)
{
	(void)state;
	CLEANUP(freep) char *worker = real_worker();
	struct decode_options o = default_options(worker);
	o.max_bytes = 1000;
	struct decode_pool *p = open_pool(&o);
	char text[1001];
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	assert_rejected(p, text, sizeof(text), "limits.decode (1000)");
	decode_pool_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_utf8_is_its_own_form),
		cmocka_unit_test(test_line_ends_become_lf),
		cmocka_unit_test(test_bom_is_dropped),
		cmocka_unit_test(test_latin1),
		cmocka_unit_test(test_windows_1251),
		cmocka_unit_test(test_utf16_with_mark),
		cmocka_unit_test(test_decomposed_is_composed),
		cmocka_unit_test(test_same_text_in_two_charsets_has_one_canonical_id),
		cmocka_unit_test(test_lines_and_characters_are_counted),
		cmocka_unit_test(test_broken_utf8_names_the_byte),
		cmocka_unit_test(test_broken_utf16_names_the_offset),
		cmocka_unit_test(test_long_text_is_cut_at_a_character_for_models),
		cmocka_unit_test(test_pieces_do_not_change_the_text),
		cmocka_unit_test(test_json_and_csv_are_texts),
		cmocka_unit_test(test_text_over_its_limit_names_the_limit),
	};
	return cmocka_run_group_tests_name("decode texts", tests, setup_real_pool, teardown_pool);
}
