/* s3_version.c - makes and reads version tokens. */
#include "connectors/s3_version.h"

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
