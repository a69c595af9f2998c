/* worker_identify.c - libmagic, and the tables of what its answers mean here. */
#include "daemon/decode/worker_identify.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>

#define MAGIC_HEAD (1U << 20) /* bytes that libmagic is shown; it looks no further itself */

static magic_t magic;

int identify_init(struct err *err)
{
	/* No look inside compressed data: that would run decompressors on content that is going to be refused. */
	magic = magic_open(MAGIC_MIME | MAGIC_NO_CHECK_COMPRESS);
	if (!magic || magic_load(magic, NULL) < 0)
		return err_set(err, ERR_FATAL, 0,
			       "the decoder cannot load libmagic's database (%s); install libmagic-mgc",
			       magic ? magic_error(magic) : "no memory");
	return 0;
}

/* Types, or prefixes of types ending in '/', by what they are to us. The first row that matches decides. */
static const struct row {
	const char *type;
	enum media media;
	const char *refused; /* why, and what to do; NULL: not refused */
} rows[] = {
#define ARCHIVE "an archive, not a file to label; unpack it"
#define PROGRAM "a program, not a file to label; remove it, or leave it out with `ignore`"
	{ "image/svg+xml", MEDIA_IMAGE, "an SVG, which may run scripts and load other files; convert it to PNG" },
	{ "application/zip", MEDIA_OTHER, ARCHIVE },
	{ "application/x-zip", MEDIA_OTHER, ARCHIVE },
	{ "application/x-7z-compressed", MEDIA_OTHER, ARCHIVE },
	{ "application/x-rar", MEDIA_OTHER, ARCHIVE },
	{ "application/vnd.rar", MEDIA_OTHER, ARCHIVE },
	{ "application/gzip", MEDIA_OTHER, ARCHIVE },
	{ "application/x-gzip", MEDIA_OTHER, ARCHIVE },
	{ "application/x-bzip2", MEDIA_OTHER, ARCHIVE },
	{ "application/x-xz", MEDIA_OTHER, ARCHIVE },
	{ "application/x-lzma", MEDIA_OTHER, ARCHIVE },
	{ "application/x-lzip", MEDIA_OTHER, ARCHIVE },
	{ "application/x-lz4", MEDIA_OTHER, ARCHIVE },
	{ "application/zstd", MEDIA_OTHER, ARCHIVE },
	{ "application/x-zstd", MEDIA_OTHER, ARCHIVE },
	{ "application/x-tar", MEDIA_OTHER, ARCHIVE },
	{ "application/x-cpio", MEDIA_OTHER, ARCHIVE },
	{ "application/x-archive", MEDIA_OTHER, ARCHIVE },
	{ "application/x-iso9660-image", MEDIA_OTHER, ARCHIVE },
	{ "application/java-archive", MEDIA_OTHER, ARCHIVE },
	{ "application/vnd.debian.binary-package", MEDIA_OTHER, ARCHIVE },
	{ "application/x-rpm", MEDIA_OTHER, ARCHIVE },
	{ "application/vnd.ms-cab-compressed", MEDIA_OTHER, ARCHIVE },
	{ "application/x-executable", MEDIA_OTHER, PROGRAM },
	{ "application/x-pie-executable", MEDIA_OTHER, PROGRAM },
	{ "application/x-sharedlib", MEDIA_OTHER, PROGRAM },
	{ "application/x-object", MEDIA_OTHER, PROGRAM },
	{ "application/x-coredump", MEDIA_OTHER, PROGRAM },
	{ "application/x-dosexec", MEDIA_OTHER, PROGRAM },
	{ "application/vnd.microsoft.portable-executable", MEDIA_OTHER, PROGRAM },
	{ "application/x-mach-binary", MEDIA_OTHER, PROGRAM },
	{ "application/x-java-applet", MEDIA_OTHER, PROGRAM },
	{ "image/", MEDIA_IMAGE, NULL },
	{ "audio/", MEDIA_AUDIO, NULL },
	{ "video/", MEDIA_VIDEO, NULL },
	{ "application/ogg", MEDIA_AUDIO, NULL },
	{ "application/json", MEDIA_TEXT, NULL },
	{ "application/x-ndjson", MEDIA_TEXT, NULL },
	{ "application/javascript", MEDIA_TEXT, NULL },
	{ "application/xml", MEDIA_TEXT, NULL },
	{ "application/csv", MEDIA_TEXT, NULL },
	{ "application/x-yaml", MEDIA_TEXT, NULL },
	{ "application/x-subrip", MEDIA_TEXT, NULL },
	{ "application/x-wine-extension-ini", MEDIA_TEXT, NULL },
	{ "message/", MEDIA_TEXT, NULL },
	{ "text/", MEDIA_TEXT, NULL },
};

static const struct row *find_row(const char *type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].type);
		bool prefix = rows[i].type[n - 1] == '/';
		if (prefix ? strncmp(type, rows[i].type, n) == 0 : strcmp(type, rows[i].type) == 0)
			return &rows[i];
	}
	return NULL;
}

static const char *skip_past(const char *p, const char *end, const char *mark)
{
	const char *at = memmem(p, (size_t)(end - p), mark, strlen(mark));
	return at ? at + strlen(mark) : end;
}

static bool starts(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

/* libmagic wants "<svg" near the first byte: this finds it as the root element behind declaration, comments and
 * DOCTYPE. */
static bool root_is_svg(const char *p, const char *end)
{
	if (starts(p, end, "\xef\xbb\xbf"))
		p += 3;
	for (;;) {
		while (p < end && *p && strchr(" \t\r\n", *p))
			p++;
		if (starts(p, end, "<?"))
			p = skip_past(p, end, "?>");
		else if (starts(p, end, "<!--"))
			p = skip_past(p, end, "-->");
		else if (starts(p, end, "<!"))
			p = skip_past(p, end, ">");
		else
			return starts(p, end, "<svg");
	}
}

/* libmagic calls UTF-16 with one broken unit binary; who writes the mark means text. */
static bool has_utf16_mark(const uint8_t *bytes, size_t size)
{
	return size >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff));
}

/* libmagic 5.46 (Debian 13) looks for the end of a zip, which it finds in a file alone, and calls one in memory binary. */
static bool has_zip_mark(const uint8_t *bytes, size_t size)
{
	return size >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0;
}

/* "text/plain; charset=us-ascii" -> the two parts. */
static void split(const char *answer, struct identity *id, char charset[32])
{
	size_t n = strcspn(answer, ";, \t\n");
	(void)snprintf(id->type, sizeof(id->type), "%.*s", n < sizeof(id->type) ? (int)n : 0, answer);
	if (!strchr(id->type, '/'))
		(void)snprintf(id->type, sizeof(id->type), "application/octet-stream");
	const char *at = strstr(answer, "charset=");
	(void)snprintf(charset, 32, "%.31s", at ? at + strlen("charset=") : "");
}

int identify(const uint8_t *bytes, size_t size, struct identity *ret, struct err *err)
{
	if (size == 0) {
		*ret = (struct identity){ .media = MEDIA_OTHER, .type = "inode/x-empty" }; /* libmagic's word for it */
		return err_set(err, ERR_REJECT, 0, "the file is empty (0 bytes)");
	}
	const char *answer = magic_buffer(magic, bytes, size < MAGIC_HEAD ? size : MAGIC_HEAD);
	char charset[32];
	struct identity id = { 0 };
	split(answer ? answer : "application/octet-stream; charset=binary", &id, charset);
	if (strcmp(id.type, "application/octet-stream") == 0 && has_utf16_mark(bytes, size)) {
		(void)snprintf(id.type, sizeof(id.type), "text/plain");
		charset[0] = '\0';
	}
	if (strcmp(id.type, "application/octet-stream") == 0 && has_zip_mark(bytes, size))
		(void)snprintf(id.type, sizeof(id.type), "application/zip");
	const struct row *row = find_row(id.type);
	id.media = row ? row->media : MEDIA_OTHER;
	if (id.media == MEDIA_TEXT && root_is_svg((const char *)bytes, (const char *)bytes + size)) {
		(void)snprintf(id.type, sizeof(id.type), "image/svg+xml");
		row = find_row(id.type);
	} else if (id.media == MEDIA_TEXT && (!strcmp(charset, "binary") || !strcmp(charset, "ebcdic"))) {
		/* A text signature over bytes that are none, or bytes that some EBCDIC page happens to map. */
		id = (struct identity){ .media = MEDIA_OTHER, .type = "application/octet-stream" };
	}
	*ret = id;
	return row && row->refused ? err_set(err, ERR_REJECT, 0, "content is %s: %s", id.type, row->refused) : 0;
}
