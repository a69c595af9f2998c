/* fuzz_http_head.c - any bytes as the head of an answer: every header that is looked at, dates, ranges, versions. */
#include "connectors/url_version.h"
#include "daemon/base/cleanup.h"
#include "daemon/net/http_date.h"
#include "daemon/net/http_reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(http_reply_done) struct http_reply r = { .status = 200 };
	struct url_version version;
	char condition[URL_VERSION_CONDITION];
	uint64_t first;
	int64_t whole;
	buf_add(&r.headers, data, size);
	http_reply_read_head(&r);
	if (r.length < -1 || r.date_ms < 0 || r.wait_ms > HTTP_WAIT_MAX_MS)
		abort();
	url_version_read(&r, &version);
	if (strlen(version.token) > VERSION_TOKEN_MAX || (version.strong && !version.token[0]))
		abort();
	if (version.token[0] && (!url_version_condition(version.token, condition) || strpbrk(condition, "\r\n")))
		abort();
	if (url_version_range(&r, &first, &whole) == 0 && whole >= 0 && first >= (uint64_t)whole)
		abort();
	return 0;
}
