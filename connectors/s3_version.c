/* s3_version.c - makes and reads version tokens. */
#include "connectors/s3_version.h"

#include <stdio.h>
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

int64_t s3_time(struct slice iso8601)
{
	struct tm tm = { 0 };
	char text[32];

	if (iso8601.len < sizeof("2009-10-12T17:50:30Z") - 1 || iso8601.len >= sizeof(text) || iso8601.p[iso8601.len - 1] != 'Z')
		return -1;
	memcpy(text, iso8601.p, iso8601.len);
	text[iso8601.len] = '\0';
	/* The fraction is passed over: the time in a header has none. */
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm);
}
