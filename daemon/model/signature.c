/* signature.c - the table of magic bytes. */
#include "daemon/model/signature.h"

#include "daemon/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct magic {
	uint16_t at;
	uint8_t len; /* 0: matches anything */
	const char *bytes;
};
#define AT(offset, literal) { (offset), sizeof(literal) - 1, (literal) }

/* The first row whose two parts both match decides: the narrower row comes first. */
static const struct {
	const char *extension;
	struct magic first, second;
} signatures[] = {
	{ "jpg", AT(0, "\xff\xd8\xff"), { 0 } },
	{ "png", AT(0, "\x89PNG\r\n\x1a\n"), { 0 } },
	{ "gif", AT(0, "GIF8"), AT(5, "a") },
	{ "webp", AT(0, "RIFF"), AT(8, "WEBP") },
	{ "wav", AT(0, "RIFF"), AT(8, "WAVE") },
	{ "avi", AT(0, "RIFF"), AT(8, "AVI ") },
	{ "wav", AT(0, "RF64"), AT(8, "WAVE") },
	{ "tif", AT(0, "II*\0"), { 0 } },
	{ "tif", AT(0, "MM\0*"), { 0 } },
	{ "tif", AT(0, "II+\0"), { 0 } }, /* BigTIFF */
	{ "tif", AT(0, "MM\0+"), { 0 } },
	{ "bmp", AT(0, "BM"), AT(6, "\0\0\0\0") },
	{ "jp2", AT(0, "\0\0\0\x0cjP  \r\n\x87\n"), { 0 } },
	{ "jxl", AT(0, "\0\0\0\x0cJXL \r\n\x87\n"), { 0 } },
	{ "jxl", AT(0, "\xff\x0a"), { 0 } },
	{ "ico", AT(0, "\0\0\1\0"), { 0 } },
	{ "psd", AT(0, "8BPS"), { 0 } },
	{ "exr", AT(0, "\x76\x2f\x31\x01"), { 0 } },
	{ "dcm", AT(128, "DICM"), { 0 } },
	{ "heic", AT(4, "ftyp"), AT(8, "hei") },
	{ "heic", AT(4, "ftyp"), AT(8, "mif1") },
	{ "avif", AT(4, "ftyp"), AT(8, "avi") },
	{ "m4a", AT(4, "ftyp"), AT(8, "M4A") },
	{ "mov", AT(4, "ftyp"), AT(8, "qt  ") },
	{ "mp4", AT(4, "ftyp"), { 0 } },
	{ "mkv", AT(0, "\x1a\x45\xdf\xa3"), { 0 } },
	{ "flv", AT(0, "FLV\1"), { 0 } },
	{ "mpg", AT(0, "\0\0\1\xba"), { 0 } },
	{ "mpg", AT(0, "\0\0\1\xb3"), { 0 } },
	{ "ts", AT(0, "G"), AT(188, "G") },
	{ "flac", AT(0, "fLaC"), { 0 } },
	{ "ogg", AT(0, "OggS"), { 0 } },
	{ "mp3", AT(0, "ID3"), { 0 } },
	{ "mp3", AT(0, "\xff\xfb"), { 0 } },
	{ "mp3", AT(0, "\xff\xf3"), { 0 } },
	{ "mp3", AT(0, "\xff\xf2"), { 0 } },
	{ "aac", AT(0, "\xff\xf1"), { 0 } },
	{ "aac", AT(0, "\xff\xf9"), { 0 } },
	{ "aif", AT(0, "FORM"), AT(8, "AIF") },
	{ "mid", AT(0, "MThd"), { 0 } },
	{ "amr", AT(0, "#!AMR"), { 0 } },
	{ "pdf", AT(0, "%PDF-"), { 0 } },
	{ "zip", AT(0, "PK\3\4"), { 0 } },
	{ "zip", AT(0, "PK\5\6"), { 0 } }, /* empty */
	{ "gz", AT(0, "\x1f\x8b"), { 0 } },
	{ "bz2", AT(0, "BZh"), { 0 } },
	{ "xz", AT(0, "\xfd" "7zXZ\0"), { 0 } },
	{ "zst", AT(0, "\x28\xb5\x2f\xfd"), { 0 } },
	{ "7z", AT(0, "7z\xbc\xaf\x27\x1c"), { 0 } },
	{ "tar", AT(257, "ustar"), { 0 } },
	{ "npy", AT(0, "\x93NUMPY"), { 0 } },
	{ "h5", AT(0, "\x89HDF\r\n\x1a\n"), { 0 } },
	{ "parquet", AT(0, "PAR1"), { 0 } },
	{ "rtf", AT(0, "{\\rtf"), { 0 } },
	{ "xml", AT(0, "<?xml"), { 0 } },
	{ "xml", AT(0, "\xef\xbb\xbf<?xml"), { 0 } },
	{ "svg", AT(0, "<svg"), { 0 } },
	{ "html", AT(0, "<!DOCTYPE html"), { 0 } },
	{ "html", AT(0, "<!doctype html"), { 0 } },
	{ "html", AT(0, "<html"), { 0 } },
	{ "txt", AT(0, "\xff\xfe"), { 0 } }, /* UTF-16 with its mark */
	{ "txt", AT(0, "\xfe\xff"), { 0 } },
};

static bool matches(const struct magic *m, const uint8_t *head, size_t n)
{
	if (m->len == 0)
		return true;
	return n >= (size_t)m->at + m->len && head[m->at] == (uint8_t)m->bytes[0] && memcmp(head + m->at, m->bytes, m->len) == 0;
}

static bool is_binary(uint8_t c)
{
	return c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r' && c != 0x1b;
}

/* UTF-8 without control characters, but for those of plain text; head may end inside a character. */
static bool looks_like_text(const uint8_t *head, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_binary(head[i]))
			return false;
	}
	for (size_t cut = 0; cut < 4 && cut < n; cut++) {
		if (text_is_utf8((struct slice){ (const char *)head, n - cut }))
			return true;
	}
	return false;
}

/* An object, or a list that does not read like "[section]". text looks like text: no NUL in it. */
static bool looks_like_json(const char *text, size_t n)
{
	static const char blank[] = " \t\r\n";
	char bracket = 0;
	for (size_t i = 0; i < n; i++) {
		if (strchr(blank, text[i]))
			continue;
		if (bracket)
			return strchr(bracket == '{' ? "\"}" : "{[\"]-0123456789", text[i]) != NULL;
		if (text[i] != '{' && text[i] != '[')
			return false;
		bracket = text[i];
	}
	return false;
}

const char *signature_extension(const void *head, size_t n)
{
	if (n == 0)
		return "bin";
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		if (matches(&signatures[i].first, head, n) && matches(&signatures[i].second, head, n))
			return signatures[i].extension;
	}
	if (!looks_like_text(head, n))
		return "bin";
	return looks_like_json(head, n) ? "json" : "txt";
}
