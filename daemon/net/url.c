/* url.c - takes URLs apart and refuses what has two readings. */
#include "daemon/net/url.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <strings.h>

CLEANUP_FN(CURLU *, curl_url_cleanup)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int refuse(struct err *err, const char *why)
{
	(void)err_set(err, ERR_REJECT, 0, "%s", why);
	if (err)
		err->sys = EINVAL;
	return -1;
}

/* Takes "http://" or "https://" off the front. */
static int take_scheme(struct slice *text, struct url *ret, struct err *err)
{
	static const struct {
		struct slice prefix;
		bool https;
		uint16_t port;
	} schemes[] = { { SLICE_LIT("http://"), false, 80 }, { SLICE_LIT("https://"), true, 443 } };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct slice prefix = schemes[i].prefix;
		if (text->len < prefix.len || strncasecmp(text->p, prefix.p, prefix.len) != 0)
			continue;
		ret->https = schemes[i].https;
		ret->port = schemes[i].port;
		*text = (struct slice){ text->p + prefix.len, text->len - prefix.len };
		return 0;
	}
	return refuse(err, "not a URL that starts with http:// or https://");
}

static int check_bytes(struct slice text, struct err *err)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == ' ')
			return refuse(err, "the URL has a blank in it; write it as %20");
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return refuse(err, "the URL has a control character in it");
	}
	return 0;
}

static int parse_port(struct slice digits, uint16_t *ret, struct err *err)
{
	uint64_t port;
	if (digits.len > 5 || text_u64(digits, &port) < 0 || port == 0 || port > UINT16_MAX)
		return refuse(err, "the URL's port is not a number from 1 to 65535");
	*ret = (uint16_t)port;
	return 0;
}

static int parse_ipv6(struct slice text, struct url *ret, struct err *err)
{
	char inner[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (text.len >= sizeof(inner))
		return refuse(err, "the URL's IPv6 host is not an address");
	memcpy(inner, text.p, text.len);
	inner[text.len] = '\0';
	if (strlen(inner) != text.len || inet_pton(AF_INET6, inner, &address) != 1)
		return refuse(err, "the URL's IPv6 host is not an address (zones are not taken)");
	(void)inet_ntop(AF_INET6, &address, ret->host, sizeof(ret->host));
	ret->literal = true;
	return 0;
}

/* As browsers decide it: a host whose last label is a number, decimal or 0x.., is meant as an IPv4 address. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	if (last[0] == '0' && last[1] == 'x')
		return last[2 + strspn(last + 2, "0123456789abcdef")] == '\0';
	return last[0] && last[strspn(last, "0123456789")] == '\0';
}

/* Letters, digits, '-' and '_' in labels of 1 to 63 bytes; host is in lower case. */
static bool is_name(const char *host)
{
	size_t label = 0;
	if (strlen(host) > 253)
		return false;
	for (const char *c = host; *c; c++) {
		if (*c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if ((*c >= 'a' && *c <= 'z') || is_digit(*c) || *c == '-' || *c == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

/* An international name as libcurl will ask for it, into ret->host. libidn2 reads names in the charset of the thread's locale, and
 * makes "" of characters that stand for nothing, as a soft hyphen does. */
static int punycode(struct slice host, struct url *ret, struct err *err)
{
	CLEANUP(curl_url_cleanupp) CURLU *u = curl_url();
	CLEANUP(freep) char *text = mem_printf("http://%.*s/", (int)host.len, host.p);
	char *name = NULL;
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	locale_t before = utf8 ? uselocale(utf8) : NULL;
	bool ok = u && utf8 && curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_HOST, &name, CURLU_PUNYCODE) == CURLUE_OK && name[0] && strlen(name) < sizeof(ret->host);
	if (ok)
		(void)strcpy(ret->host, name);
	curl_free(name);
	if (utf8) {
		(void)uselocale(before);
		freelocale(utf8);
	}
	return ok ? 0 : refuse(err, "the URL's host is not a valid international name");
}

static int parse_name(struct slice host, struct url *ret, struct err *err)
{
	bool ascii = true;
	for (size_t i = 0; i < host.len; i++)
		ascii = ascii && (unsigned char)host.p[i] < 0x80;
	if (host.len == 0 || host.len >= sizeof(ret->host))
		return refuse(err, host.len ? "the URL's host is too long" : "the URL has no host");
	if (ascii) {
		memcpy(ret->host, host.p, host.len);
		ret->host[host.len] = '\0';
	} else if (punycode(host, ret, err) < 0) {
		return -1;
	}
	for (char *c = ret->host; *c; c++)
		*c = lower(*c);
	struct in_addr address;
	if (ends_in_number(ret->host)) {
		ret->literal = true;
		if (inet_pton(AF_INET, ret->host, &address) == 1)
			return 0;
		return refuse(err, "the URL's host is a number; an IPv4 address is written as four decimal numbers");
	}
	size_t len = strlen(ret->host);
	if (ret->host[len - 1] == '.')
		ret->host[len - 1] = '\0';
	if (ends_in_number(ret->host) || !is_name(ret->host))
		return refuse(err, "the URL's host is not a name or an address");
	return 0;
}

static int parse_authority(struct slice text, struct url *ret, struct err *err)
{
	if (memchr(text.p, '@', text.len))
		return refuse(err, "the URL has a user part; credentials do not belong in URLs");
	if (memchr(text.p, '\\', text.len) || memchr(text.p, '%', text.len))
		return refuse(err, "the URL's host has a backslash or '%' in it");
	struct slice host = text;
	struct slice rest = { NULL, 0 };
	if (text.len > 0 && text.p[0] == '[') {
		const char *end = memchr(text.p, ']', text.len);
		if (!end)
			return refuse(err, "the URL's IPv6 host has no ']'");
		host = (struct slice){ text.p + 1, (size_t)(end - text.p) - 1 };
		rest = (struct slice){ end + 1, text.len - host.len - 2 };
		if (parse_ipv6(host, ret, err) < 0)
			return -1;
	} else {
		const char *colon = memchr(text.p, ':', text.len);
		host.len = colon ? (size_t)(colon - text.p) : text.len;
		rest = (struct slice){ text.p + host.len, text.len - host.len };
		if (parse_name(host, ret, err) < 0)
			return -1;
	}
	if (rest.len == 0)
		return 0;
	if (rest.p[0] != ':')
		return refuse(err, "the URL's host is followed by neither a port nor a path");
	return parse_port((struct slice){ rest.p + 1, rest.len - 1 }, &ret->port, err);
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
	struct url parsed = { .port = 0 };
	struct slice rest = slice_of(text);
	if (rest.len > URL_MAX)
		return refuse(err, "the URL is longer than 16 KiB");
	if (take_scheme(&rest, &parsed, err) < 0 || check_bytes(rest, err) < 0)
		return -1;
	size_t authority = strcspn(rest.p, "/?#");
	if (parse_authority((struct slice){ rest.p, authority }, &parsed, err) < 0)
		return -1;
	parsed.target = (struct slice){ rest.p + authority, strcspn(rest.p + authority, "#") };
	*ret = parsed;
	return 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

static size_t ascii_run(struct slice s)
{
	size_t n = 0;
	while (n < s.len && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

char *url_ascii(const struct url *url)
{
	static const char digits[] = "0123456789ABCDEF";
	struct buf text = { 0 };
	struct slice rest = url->target;
	bool v6 = strchr(url->host, ':');
	(void)buf_grow(&text, sizeof("https://[]:65535") + strlen(url->host) + rest.len);
	buf_str(&text, url->https ? "https://" : "http://");
	buf_str(&text, v6 ? "[" : "");
	buf_str(&text, url->host);
	buf_str(&text, v6 ? "]" : "");
	if (url->port != (url->https ? 443 : 80)) {
		buf_char(&text, ':');
		buf_u64(&text, url->port);
	}
	while (rest.len > 0) {
		size_t n = ascii_run(rest);
		buf_add(&text, rest.p, n);
		if (n < rest.len) {
			unsigned char c = (unsigned char)rest.p[n++];
			buf_add(&text, (const char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
		}
		rest = (struct slice){ rest.p + n, rest.len - n };
	}
	return buf_take(&text);
}

void url_label(const char *text, char ret[static URL_LABEL_MAX])
{
	struct url url;
	char port[8] = "";
	if (url_parse(text, &url, NULL) < 0) {
		(void)strcpy(ret, "(URL)");
		return;
	}
	if (url.port != (url.https ? 443 : 80))
		(void)snprintf(port, sizeof(port), ":%u", url.port);
	bool v6 = strchr(url.host, ':');
	size_t path = strcspn(url.target.p, "?#");
	size_t at = (size_t)snprintf(ret, URL_LABEL_MAX, "%s://%s%.200s%s%s", url.https ? "https" : "http", v6 ? "[" : "", url.host,
		v6 ? "]" : "", port);
	size_t room = URL_LABEL_MAX - 1 - at;
	size_t kept = path <= room ? path : room - 3;
	for (size_t i = 0; i < kept; i++)
		ret[at + i] = url.target.p[i] > 0x20 && url.target.p[i] < 0x7f ? url.target.p[i] : '?';
	(void)strcpy(ret + at + kept, kept < path ? "..." : "");
}

char *url_resolve(const char *base, struct slice location)
{
	CLEANUP(curl_url_cleanupp) CURLU *u = curl_url();
	CLEANUP(freep) char *where = mem_strndup(location.p, location.len);
	char *text = NULL;
	char *copy = NULL;
	if (u && strlen(where) == location.len && curl_url_set(u, CURLUPART_URL, base, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, where, CURLU_URLENCODE | CURLU_ALLOW_SPACE) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
		copy = mem_strdup(text);
	curl_free(text);
	return copy;
}
