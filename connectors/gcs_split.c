/* gcs_split.c - halves a range of keys by the bytes that keys are made of. */
#include "connectors/gcs_split.h"

#include <assert.h>

#define PLACES_MAX 128U /* how deep into a key a cut may lie */
#define NO_LIMIT 256

void gcs_alphabet_add(struct gcs_alphabet *a, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c > ' ' && c < 0x7f)
			a->seen[c] = true;
	}
}

/* The middle one of the bytes between low and high; 0: there is none. */
static char middle(const struct gcs_alphabet *a, int low, int high)
{
	int first = low + 1, last = high < 128 ? high : 128, count = 0;
	for (int c = first; c < last; c++)
		count += a->seen[c];
	for (int c = first, n = 0; c < last; c++) {
		n += a->seen[c];
		if (a->seen[c] && n > count / 2)
			return (char)c;
	}
	return 0;
}

static bool within_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

bool gcs_split(const struct gcs_alphabet *a, size_t fixed, struct slice cursor, struct slice end, struct buf *ret)
{
	bool bound = end.len > 0; /* end has begun like cursor so far */
	for (size_t i = 0; i < cursor.len && i < fixed + PLACES_MAX; i++) {
		int low = (unsigned char)cursor.p[i];
		int high = !bound ? NO_LIMIT : i < end.len ? (unsigned char)end.p[i] : 0;
		char c = i < fixed || within_character(cursor.p[i]) ? '\0' : middle(a, low, high);
		if (c) {
			ret->len = 0;
			buf_add(ret, cursor.p, i);
			buf_char(ret, c);
			return true;
		}
		bound = bound && low == high;
	}
	return false;
}

void gcs_before(struct slice cut, struct buf *ret)
{
	assert(cut.len > 0 && cut.p[cut.len - 1] != '\0');
	ret->len = 0;
	buf_add(ret, cut.p, cut.len);
	ret->data[cut.len - 1]--;
	buf_char(ret, '\xff');
}
