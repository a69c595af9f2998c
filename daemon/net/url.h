/* url.h - an http or https URL taken apart, strictly: a host has one spelling, and nobody else reads it differently.
 *
 * Two readers of one text that see two hosts are how address checks are passed by, so whatever has a second reading is
 * refused: user parts, backslashes, escaped or short or octal or hexadecimal IPv4 hosts, zones, blanks, control characters. */
#ifndef INLET_NET_URL_H
#define INLET_NET_URL_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX 16384     /* bytes of a URL: signed ones with session tokens reach 3 KiB */
#define URL_HOST_MAX 256  /* a name has at most 253 bytes */
#define URL_LABEL_MAX 256

struct url {
	bool https;
	bool literal;            /* host is an address, in inet_ntop's spelling, IPv6 without its brackets */
	uint16_t port;           /* the scheme's where none is written */
	char host[URL_HOST_MAX]; /* lower case, international names as libcurl would ask for them ("xn--…"), no dot at the end */
	struct slice target;     /* path and query as written, "" allowed, without the fragment; borrowed from the text */
};

/* ERR_REJECT (EINVAL) with the reason, which never shows more of the URL than scheme, host and port. *ret is untouched then. */
int url_parse(const char *text, struct url *ret, struct err *err);
bool url_same_origin(const struct url *a, const struct url *b); /* scheme, host and port */
/* The URL as it goes over the wire: the host as above, the target's bytes beyond ASCII as %XX, all else as written. The caller
 * frees it. */
char *url_ascii(const struct url *url);
/* "https://host[:port]/path" for messages: no user part, query or fragment (they carry secrets), unprintable bytes as '?', cut with "..."
 * where it is too long; "(URL)" for what url_parse() refuses, because secrets may stand anywhere in it. */
void url_label(const char *text, char ret[static URL_LABEL_MAX]);
/* The URL that a Location of `base` leads to. The caller frees it; NULL: it is none. */
char *url_resolve(const char *base, struct slice location);

#endif
