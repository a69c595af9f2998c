/* s3_version.c - makes and reads version tokens. */
#include "connectors/s3_version.h"

#include "daemon/base/text.h"

#include <time.h>

static struct slice unquoted(struct slice etag)
{
	if (etag.len >= 2 && etag.p[0] == '"' && etag.p[etag.len - 1] == '"')
		return (struct slice){ etag.p + 1, etag.len - 2 };
	return etag;
}

void s3_version(struct buf *to, struct slice etag, int64_t modified_s, uint64_t bytes)
{
	etag = unquoted(etag);
	if (etag.len > 0)
		buf_add(to, etag.p, etag.len);
	else
		buf_printf(to, "@%lld", (long long)modified_s);
	buf_char(to, ':');
	buf_u64(to, bytes);
}

struct slice s3_etag(struct slice token)
{
	size_t n = token.len;

	while (n > 0 && token.p[n - 1] != ':')
		n--;
	if (n <= 1 || token.p[0] == '@')
		return (struct slice){ "", 0 };
	return (struct slice){ token.p, n - 1 };
}

/* The number in `text` where `form` has letters. */
static bool read_number(struct slice text, const char *form, char letter, int *ret)
{
	const char *from = strchr(form, letter);
	uint64_t n;

	if (text_u64((struct slice){ text.p + (from - form), strspn(from, (char[]){ letter, '\0' }) }, &n) < 0)
		return false;
	*ret = (int)n;
	return true;
}

int64_t s3_time(struct slice iso8601)
{
	static const char form[] = "YYYY-MM-DDThh:mm:ss"; /* a fraction is passed over: the time in a header has none */
	struct tm tm = { 0 };

	if (iso8601.len < sizeof(form) || iso8601.p[iso8601.len - 1] != 'Z' || iso8601.p[10] != 'T' ||
		!read_number(iso8601, form, 'Y', &tm.tm_year) || !read_number(iso8601, form, 'M', &tm.tm_mon) ||
		!read_number(iso8601, form, 'D', &tm.tm_mday) || !read_number(iso8601, form, 'h', &tm.tm_hour) ||
		!read_number(iso8601, form, 'm', &tm.tm_min) || !read_number(iso8601, form, 's', &tm.tm_sec))
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm);
}
