/* test_signature.c - extensions by first bytes: known signatures, text, and what must not be mistaken. */
#include "daemon/base/slice.h"
#include "daemon/model/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
	struct slice head;
	const char *extension;
};
#define ROW(literal, extension) { { (literal), sizeof(literal) - 1 }, (extension) }

/* Each head in an allocation of its own size, so that a sanitizer sees a read past its end. */
static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *exact = malloc(rows[i].head.len ? rows[i].head.len : 1);
		assert_non_null(exact);
		if (rows[i].head.len)
			memcpy(exact, rows[i].head.p, rows[i].head.len);
		assert_string_equal(signature_extension(exact, rows[i].head.len), rows[i].extension);
		free(exact);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_media_and_archives(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("\xff\xd8\xff\xe0\0\x10JFIF", "jpg"),
		ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png"),
		ROW("GIF89a\1\0", "gif"),
		ROW("RIFF\x24\0\0\0WEBPVP8 ", "webp"),
		ROW("RIFF\x24\0\0\0WAVEfmt ", "wav"),
		ROW("RIFF\x24\0\0\0AVI LIST", "avi"),
		ROW("II*\0\x08\0\0\0", "tif"),
		ROW("MM\0*\0\0\0\x08", "tif"),
		ROW("BM\x36\x00\x03\0\0\0\0\0\x36\0\0\0", "bmp"),
		ROW("\0\0\0\x18" "ftypheic\0\0\0\0", "heic"),
		ROW("\0\0\0\x18" "ftypavif\0\0\0\0", "avif"),
		ROW("\0\0\0\x18" "ftypM4A \0\0\0\0", "m4a"),
		ROW("\0\0\0\x14" "ftypqt  \0\0\0\0", "mov"),
		ROW("\0\0\0\x20" "ftypisom\0\0\2\0", "mp4"),
		ROW("\x1a\x45\xdf\xa3\x9f", "mkv"),
		ROW("fLaC\0\0\0\x22", "flac"),
		ROW("OggS\0\2", "ogg"),
		ROW("ID3\4\0", "mp3"),
		ROW("\xff\xfb\x90\x64", "mp3"),
		ROW("%PDF-1.7\n", "pdf"),
		ROW("PK\3\4\x14\0", "zip"),
		ROW("\x1f\x8b\x08\0", "gz"),
		ROW("\x28\xb5\x2f\xfd\x04", "zst"),
		ROW("\xfd" "7zXZ\0\0\4", "xz"),
	};
	CHECK(rows);
}

static void test_signatures_far_inside(void **state)
{
	(void)state;
	char tar[512] = "name";
	memcpy(tar + 257, "ustar", 5);
	assert_string_equal(signature_extension(tar, sizeof(tar)), "tar");
	assert_string_equal(signature_extension(tar, 261), "bin"); /* one byte short */
	char dicom[132] = { 0 };
	memcpy(dicom + 128, "DICM", 4);
	assert_string_equal(signature_extension(dicom, sizeof(dicom)), "dcm");
}

static void test_text_in_its_kinds(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("just words\n", "txt"),
		ROW("caf\xc3\xa9", "txt"),
		ROW("\xef\xbb\xbfwith a mark", "txt"),
		ROW("\xff\xfeh\0i\0", "txt"),
		ROW("cut inside a character \xe2\x82", "txt"),
		ROW("col\tumn\r\n", "txt"),
		ROW("{\"a\": 1}", "json"),
		ROW(" \n[{\"a\": 1}]", "json"),
		ROW("{}", "json"),
		ROW("[1, 2]", "json"),
		ROW("[section]\nkey = value\n", "txt"),
		ROW("{{template}}", "txt"),
		ROW("[", "txt"),
		ROW("{", "txt"),
		ROW("<?xml version=\"1.0\"?>", "xml"),
		ROW("<html><body>", "html"),
		ROW("<svg xmlns=", "svg"),
		ROW("Bahnhof", "txt"),
		ROW("BMW 3 is not a bitmap", "txt"),
	};
	CHECK(rows);
}

static void test_the_rest_is_bin(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("", "bin"),
		ROW("\0", "bin"),
		ROW("\x80", "bin"),
		ROW("\xff", "bin"),
		ROW("text then\0zero", "bin"),
		ROW("latin1 \xe9t\xe9 says", "bin"),
		ROW("RIFF\x24\0\0\0XXXX", "bin"),
		ROW("RIFF\x24\0\0", "bin"),
		ROW("\x89PN", "bin"),
		ROW("\x01\x02\x03\x04", "bin"),
	};
	CHECK(rows);
}

static void test_every_prefix_of_anything_is_safe(void **state)
{
	(void)state;
	static const char head[] = "\0\0\0\x18" "ftypheic {\"a\":[1,2]}\xe2\x82\xac RIFF";
	for (size_t from = 0; from < sizeof(head); from++) {
		for (size_t to = from; to <= sizeof(head); to++) {
			const struct row row = { { head + from, to - from }, signature_extension(head + from, to - from) };
			check(&row, 1);
			assert_in_range(strlen(row.extension), 1, 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_media_and_archives),
		cmocka_unit_test(test_signatures_far_inside),
		cmocka_unit_test(test_text_in_its_kinds),
		cmocka_unit_test(test_the_rest_is_bin),
		cmocka_unit_test(test_every_prefix_of_anything_is_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
