/* url_version.c - reads the validators of an answer, and makes the conditions of the next request of them. */
#include "connectors/url_version.h"

#include "daemon/base/text.h"
#include "daemon/net/http_date.h"

#include <stdio.h>

#define MINUTE_MS 60000

/* entity-tag of RFC 9110, 8.8.3, and short enough for a token. */
static bool is_etag(struct slice s)
{
	size_t open = s.len > 2 && memcmp(s.p, "W/", 2) == 0 ? 2 : 0;
	if (s.len < open + 2 || s.len > VERSION_TOKEN_MAX - 5 || s.p[open] != '"' || s.p[s.len - 1] != '"')
		return false;
	for (size_t i = open + 1; i < s.len - 1; i++) {
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == '"' || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

void url_version_read(const struct http_reply *r, struct url_version *ret)
{
	struct slice etag = http_header(r, "ETag");
	struct slice date = http_header(r, "Last-Modified");
	*ret = (struct url_version){ .strong = NULL };
	if (is_etag(etag)) {
		(void)snprintf(ret->token, sizeof(ret->token), "etag:%.*s", (int)etag.len, etag.p);
		if (etag.p[0] == '"')
			ret->strong = ret->token + 5;
		return;
	}
	int64_t date_ms = date.len < sizeof(ret->date) ? http_date_ms(date, r->date_ms) : 0;
	if (date_ms == 0)
		return;
	memcpy(ret->date, date.p, date.len);
	(void)snprintf(ret->token, sizeof(ret->token), "date:%s;%lld", ret->date, (long long)r->length);
	if (r->date_ms - date_ms >= MINUTE_MS)
		ret->strong = ret->date;
}

bool url_version_condition(const char *token, char ret_header[static URL_VERSION_CONDITION])
{
	if (strpbrk(token, "\r\n") || strlen(token) > VERSION_TOKEN_MAX)
		return false;
	if (strncmp(token, "etag:", 5) == 0) {
		(void)snprintf(ret_header, URL_VERSION_CONDITION, "If-None-Match: %s", token + 5);
		return true;
	}
	if (strncmp(token, "date:", 5) != 0)
		return false;
	(void)snprintf(ret_header, URL_VERSION_CONDITION, "If-Modified-Since: %.*s", (int)strcspn(token + 5, ";"), token + 5);
	return true;
}

/* Takes the number in front of `end` off *s. */
static int take_number(struct slice *s, char end, uint64_t *ret)
{
	const char *at = s->len ? memchr(s->p, end, s->len) : NULL;
	if (!at || text_u64((struct slice){ s->p, (size_t)(at - s->p) }, ret) < 0 || *ret > INT64_MAX)
		return -1;
	s->len -= (size_t)(at + 1 - s->p);
	s->p = at + 1;
	return 0;
}

int url_version_range(const struct http_reply *r, uint64_t *ret_first, int64_t *ret_whole)
{
	struct slice s = http_header(r, "Content-Range");
	uint64_t first;
	uint64_t last;
	uint64_t whole;
	if (s.len < 6 || memcmp(s.p, "bytes ", 6) != 0)
		return -1;
	s = (struct slice){ s.p + 6, s.len - 6 };
	if (take_number(&s, '-', &first) < 0 || take_number(&s, '/', &last) < 0 || last < first)
		return -1;
	bool known = !slice_eq(s, SLICE_LIT("*"));
	if (known && (text_u64(s, &whole) < 0 || last + 1 != whole || whole > INT64_MAX))
		return -1;
	*ret_first = first;
	*ret_whole = known ? (int64_t)whole : -1;
	return 0;
}
