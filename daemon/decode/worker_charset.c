/* worker_charset.c - byte order marks, UTF-8, uchardet and iconv. */
#include "daemon/decode/worker_charset.h"

#include "daemon/base/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <uchardet/uchardet.h>
#include <utf8proc.h>

#define GUESS_MAX (1U << 20) /* bytes that uchardet is shown */
#define PIECE 32768	     /* bytes of UTF-8 converted at once */

/* What uchardet may answer. */
static const char *const charsets[] = {
	"utf-16le", "utf-16be", "utf-32le", "utf-32be", "windows-1250", "windows-1251", "windows-1252",
	"windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258",
	"iso-8859-1", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7",
	"iso-8859-8", "iso-8859-9", "iso-8859-10", "iso-8859-11", "iso-8859-13", "iso-8859-14", "iso-8859-15",
	"iso-8859-16", "koi8-r", "ibm852", "ibm855", "ibm865", "ibm866", "mac-cyrillic", "mac-centraleurope",
	"tis-620", "viscii", "big5", "euc-jp", "euc-kr", "euc-tw", "gb18030", "shift_jis", "uhc", "iso-2022-jp",
	"iso-2022-kr", "iso-2022-cn", "johab",
};
#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))
static iconv_t converters[CHARSETS]; /* to UTF-8 */

static const struct {
	const char *mark;
	size_t n;
	const char *name;
} marks[] = {
	/* UTF-32LE's begins as UTF-16LE's does */
	{ "\xff\xfe\0\0", 4, "utf-32le" }, { "\0\0\xfe\xff", 4, "utf-32be" }, { "\xef\xbb\xbf", 3, "utf-8" },
	{ "\xff\xfe", 2, "utf-16le" },	   { "\xfe\xff", 2, "utf-16be" },
};

int charset_init(struct err *err)
{
	for (size_t i = 0; i < CHARSETS; i++) {
		converters[i] = iconv_open("UTF-8", charsets[i]);
		if (converters[i] == (iconv_t)-1 && strcmp(charsets[i], "windows-1252") == 0)
			return err_set(err, ERR_FATAL, errno,
				       "the decoder finds no charset converters; install libc-bin and libc6 whole");
	}
	return 0;
}

static int find_charset(const char *name, struct charset *ret)
{
	for (size_t i = 0; i < CHARSETS; i++) {
		if (strcasecmp(charsets[i], name) == 0 && converters[i] != (iconv_t)-1) {
			*ret = (struct charset){ .name = charsets[i], .converter = converters[i] };
			return 0;
		}
	}
	return -1;
}

static int does_not_convert(const struct charset *c, const uint8_t *bytes, size_t at, struct err *err)
{
	return err_set(err, ERR_REJECT, 0, "byte 0x%02x at offset %zu is not valid %s; save the text again as UTF-8",
		       bytes[at], at, c->name);
}

int charset_convert(const struct charset *c, const uint8_t *bytes, size_t size, text_fn *emit, void *arg,
		    struct err *err)
{
	char *in = (char *)bytes + c->bom_bytes;
	size_t left = size - c->bom_bytes;
	if (!c->converter)
		return left ? emit(arg, in, left, err) : 0;
	(void)iconv(c->converter, NULL, NULL, NULL, NULL);
	while (left) {
		char piece[PIECE];
		char *out = piece;
		size_t room = sizeof(piece);
		size_t n = iconv(c->converter, &in, &left, &out, &room);
		if (n == (size_t)-1 && errno != E2BIG)
			return does_not_convert(c, bytes, size - left, err);
		if (emit(arg, piece, sizeof(piece) - room, err) < 0)
			return -1;
	}
	return 0;
}

/* Wrong single-byte charsets convert anything: to control characters, or to code points that nobody has assigned. */
static int plausible(void *arg, const char *utf8, size_t n, struct err *err)
{
	(void)arg;
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)utf8;
	while (n) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = utf8proc_iterate(p, (utf8proc_ssize_t)n, &c);
		if (len <= 0)
			return err_set(err, ERR_REJECT, 0, "not text");
		utf8proc_category_t category = c < 0x80 ? UTF8PROC_CATEGORY_LL : utf8proc_category(c);
		bool control = category == UTF8PROC_CATEGORY_CC && c != 0x85;
		if (control || category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO)
			return err_set(err, ERR_REJECT, 0, "not text");
		p += len;
		n -= (size_t)len;
	}
	return 0;
}

static bool fits(const struct charset *c, const uint8_t *bytes, size_t size)
{
	return charset_convert(c, bytes, size, plausible, NULL, NULL) == 0;
}

/* How far from UTF-8: where it breaks first, how often, and how many characters of more than a byte are whole. */
struct breakage {
	size_t first, broken, whole;
};

static struct breakage find_breakage(const uint8_t *bytes, size_t size)
{
	struct breakage b = { .first = size };
	for (size_t i = 0; i < size;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = 1;
		if (bytes[i] >= 0x80)
			len = utf8proc_iterate(bytes + i, (utf8proc_ssize_t)(size - i), &c);
		if (len <= 0 && !b.broken++)
			b.first = i;
		b.whole += len > 1;
		i += len > 0 ? (size_t)len : 1;
	}
	return b;
}

static int guess(const uint8_t *bytes, size_t size, struct charset *ret)
{
	uchardet_t detector = uchardet_new();
	int found = -1;
	if (detector && uchardet_handle_data(detector, (const char *)bytes, size < GUESS_MAX ? size : GUESS_MAX) == 0) {
		uchardet_data_end(detector);
		found = find_charset(uchardet_get_charset(detector), ret);
	}
	if (detector)
		uchardet_delete(detector);
	return found == 0 && fits(ret, bytes, size) ? 0 : -1;
}

static int by_mark(const uint8_t *bytes, size_t size, struct charset *ret)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (size < marks[i].n || memcmp(bytes, marks[i].mark, marks[i].n) != 0)
			continue;
		*ret = (struct charset){ .name = "utf-8" };
		(void)find_charset(marks[i].name, ret);
		ret->bom_bytes = marks[i].n;
		return 0;
	}
	return -1;
}

int charset_detect(const uint8_t *bytes, size_t size, struct charset *ret, struct err *err)
{
	struct charset c = { .name = "utf-8" };
	bool marked = by_mark(bytes, size, &c) == 0;
	if (marked && c.converter) {
		*ret = c; /* what does not convert will say so */
		return 0;
	}
	if (text_is_utf8((struct slice){ (const char *)bytes, size })) {
		struct charset stateful; /* ISO-2022-JP and its like are ASCII with escapes */
		bool escapes = !marked && memchr(bytes, 0x1b, size) && guess(bytes, size, &stateful) == 0;
		*ret = escapes ? stateful : c;
		return 0;
	}
	/* With more whole characters than breaks it was meant to be UTF-8: another charset would garble it. */
	struct breakage b = find_breakage(bytes, size);
	if (marked || (b.whole && b.whole >= b.broken))
		return does_not_convert(&c, bytes, b.first, err);
	if (guess(bytes, size, ret) == 0)
		return 0;
	if (find_charset("windows-1252", ret) == 0 && fits(ret, bytes, size))
		return 0;
	return err_set(err, ERR_REJECT, 0,
		       "byte 0x%02x at offset %zu is not valid UTF-8, and no other charset fits; save the text "
		       "again as UTF-8",
		       bytes[b.first], b.first);
}
