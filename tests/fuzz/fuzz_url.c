/* fuzz_url.c - any text as a URL: what url_parse() takes, libcurl reads as the same host and port, and labels are
 * plain text. The text behind the first line break is a Location. */
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/net/guard.h"
#include "daemon/net/url.h"
#include "daemon/net/url_identity.h"

#include <arpa/inet.h>
#include <curl/curl.h>

CLEANUP_FN(CURLU *, curl_url_cleanup)

/* One spelling: lower case, addresses as inet_ntop() writes them, no dot at the end. */
static void spell(const char *host, char ret[static URL_HOST_MAX])
{
	struct in6_addr v6;
	size_t len = strlen(host);
	char inner[URL_HOST_MAX];
	(void)snprintf(inner, sizeof(inner), "%.*s", (int)(len > 1 ? len - 2 : 0), len > 1 ? host + 1 : "");
	if (host[0] == '[' && inet_pton(AF_INET6, inner, &v6) == 1) {
		(void)inet_ntop(AF_INET6, &v6, ret, URL_HOST_MAX);
		return;
	}
	(void)snprintf(ret, URL_HOST_MAX, "%s", host);
	for (char *c = ret; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	if (len > 0 && len < URL_HOST_MAX && ret[len - 1] == '.')
		ret[len - 1] = '\0';
}

static void compare(const char *text, const struct url *mine)
{
	CLEANUP(curl_url_cleanupp) CURLU *u = curl_url();
	char *host = NULL;
	char *port = NULL;
	char spelled[URL_HOST_MAX];
	if (!u || curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK)
		return; /* libcurl refuses it: no request */
	if (curl_url_get(u, CURLUPART_HOST, &host, CURLU_PUNYCODE) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		spell(host, spelled);
		if (strcmp(spelled, mine->host) != 0 || strtoul(port, NULL, 10) != mine->port)
			abort();
	}
	curl_free(host);
	curl_free(port);
}

/* What is sent: plain, and still the same place. */
static void check_ascii(const struct url *url)
{
	struct url again;
	CLEANUP(freep) char *text = url_ascii(url);
	for (const char *c = text; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f)
			abort();
	}
	if (url_parse(text, &again, NULL) == 0 && !url_same_origin(url, &again))
		abort();
	compare(text, url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = size ? (const char *)data : "";
	const char *line = memchr(p, '\n', size);
	size_t first = line ? (size_t)(line - p) : size;
	CLEANUP(freep) char *text = mem_strndup(p, first);
	CLEANUP(buf_done) struct buf identity = { 0 };
	CLEANUP(guard_freep) struct guard *g = guard_new();
	char label[URL_LABEL_MAX];
	struct url url;
	url_identity((struct slice){ p, first }, &identity);
	url_label(text, label);
	for (const char *c = label; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			abort();
	}
	if (url_parse(text, &url, NULL) < 0)
		return 0;
	compare(text, &url);
	check_ascii(&url);
	(void)guard_check(g, &url, NULL);
	if (line) {
		CLEANUP(freep) char *next = url_resolve(text, (struct slice){ line + 1, size - first - 1 });
		if (next && url_parse(next, &url, NULL) == 0)
			check_ascii(&url);
	}
	return 0;
}
