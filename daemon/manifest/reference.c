/* reference.c - the table of schemes. */
#include "daemon/manifest/reference.h"

#include "daemon/base/text.h"

#include <strings.h>

static const struct {
	const char *prefix;
	enum reference_kind kind;
} schemes[] = {
	{ "http://", REFERENCE_URL }, { "https://", REFERENCE_URL }, { "s3://", REFERENCE_S3 }, { "gs://", REFERENCE_GS },
	{ "ftp://", REFERENCE_OTHER }, { "ftps://", REFERENCE_OTHER },
	{ "sftp://", REFERENCE_OTHER }, { "scp://", REFERENCE_OTHER }, { "hdfs://", REFERENCE_OTHER },
	{ "abfs://", REFERENCE_OTHER }, { "abfss://", REFERENCE_OTHER }, { "wasb://", REFERENCE_OTHER },
	{ "wasbs://", REFERENCE_OTHER }, { "az://", REFERENCE_OTHER }, { "azure-blob://", REFERENCE_OTHER },
	{ "azure-spi://", REFERENCE_OTHER }, { "s3a://", REFERENCE_OTHER }, { "s3n://", REFERENCE_OTHER },
	{ "oss://", REFERENCE_OTHER }, { "cos://", REFERENCE_OTHER }, { "dbfs:/", REFERENCE_OTHER },
	{ "hf://", REFERENCE_OTHER }, { "webdav://", REFERENCE_OTHER }, { "smb://", REFERENCE_OTHER },
};

static bool begins(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.len >= n && strncasecmp(s.p, prefix, n) == 0;
}

/* "data:" and then a media type or base64 at once: "data: the new oil" is text. */
static bool is_data_url(struct slice s)
{
	const char *comma = begins(s, "data:") ? memchr(s.p, ',', s.len < 200 ? s.len : 200) : NULL;
	if (!comma)
		return false;
	for (const char *p = s.p; p < comma; p++)
		if (*p == ' ')
			return false;
	return memchr(s.p, '/', (size_t)(comma - s.p)) || memchr(s.p, ';', (size_t)(comma - s.p));
}

enum reference_kind reference_kind(struct slice value)
{
	if (value.len == 0)
		return REFERENCE_NONE;
	if (value.p[0] == '/' || begins(value, "./") || begins(value, "../"))
		return REFERENCE_PATH;
	if (begins(value, "file:")) /* "file: under animals" is text */
		return value.len > 5 && !strchr(" \t\r\n", value.p[5]) ? REFERENCE_FILE : REFERENCE_NONE;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (begins(value, schemes[i].prefix))
			return schemes[i].kind;
	return is_data_url(value) ? REFERENCE_DATA : REFERENCE_NONE;
}

bool reference_is_like_file(struct slice text)
{
	static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".avif", ".txt",
		".wav", ".mp3", ".flac", ".ogg", ".m4a", ".mp4", ".mov", ".mkv", ".avi", ".webm" };
	if (text.len > 1024 || memchr(text.p, '\n', text.len))
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t n = strlen(endings[i]);
		if (text.len > n && strncasecmp(text.p + text.len - n, endings[i], n) == 0)
			return true;
	}
	return false;
}

int reference_file_path(struct slice url, struct buf *to)
{
	size_t start = to->len;
	struct slice path = { url.p + 5, url.len - 5 }; /* behind "file:" */
	if (begins(path, "//")) {
		path = (struct slice){ path.p + 2, path.len - 2 };
		if (begins(path, "localhost/"))
			path = (struct slice){ path.p + 9, path.len - 9 };
		if (path.len == 0 || path.p[0] != '/')
			return -1;
	}
	for (size_t i = 0; i < path.len; i++) {
		char c = path.p[i];
		if (c == '%') {
			uint8_t byte = 0;
			if (i + 2 >= path.len || text_unhex((struct slice){ path.p + i + 1, 2 }, &byte, 1) < 0) {
				to->len = start;
				return -1;
			}
			c = (char)byte;
			i += 2;
		}
		buf_char(to, c);
	}
	if (memchr(to->data + start, '\0', to->len - start)) {
		to->len = start;
		return -1;
	}
	return 0;
}
