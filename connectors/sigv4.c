/* sigv4.c - canonical request, string to sign, derived key, signature. */
#include "connectors/sigv4.h"

#include "daemon/base/text.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HMAC_BLOCK 64
#define TEXT_USUAL 1024 /* a canonical request with a short key and no session token */

void sigv4_time(int64_t unix_seconds, char ret_time[static SIGV4_TIME_BYTES])
{
	time_t t = (time_t)unix_seconds;
	struct tm tm = { 0 };
	(void)gmtime_r(&t, &tm);
	(void)strftime(ret_time, SIGV4_TIME_BYTES, "%Y%m%dT%H%M%SZ", &tm);
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
		c == '~';
}

void sigv4_encode(struct buf *to, struct slice s, bool path)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = buf_grow(to, 3 * s.len);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_unreserved(c) || (path && c == '/')) {
			*out++ = (char)c;
		} else {
			*out++ = '%';
			*out++ = digits[c >> 4];
			*out++ = digits[c & 15];
		}
	}
	*out = '\0';
	to->len = (size_t)(out - to->data);
}

/* The order is that of the encoded names: '%' sorts before everything that is not encoded. */
static int by_encoded(struct slice a, struct slice b)
{
	struct buf x = { 0 }, y = { 0 };
	int order;
	sigv4_encode(&x, a, false);
	sigv4_encode(&y, b, false);
	order = slice_cmp(buf_slice(&x), buf_slice(&y));
	buf_done(&x);
	buf_done(&y);
	return order;
}

static int by_name(const void *a, const void *b)
{
	const struct sigv4_param *x = a, *y = b;
	int order = by_encoded(x->name, y->name);
	return order ? order : by_encoded(x->value, y->value);
}

void sigv4_query(struct buf *to, struct sigv4_param *params, size_t count)
{
	if (count > 0)
		qsort(params, count, sizeof(*params), by_name);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(to, '&');
		sigv4_encode(to, params[i].name, false);
		buf_char(to, '=');
		sigv4_encode(to, params[i].value, false);
	}
}

/* RFC 2104. OpenSSL's own HMAC looks its algorithm up at each call; a request takes five. */
static void hmac(struct sha256 *h, struct slice key, struct slice message, uint8_t ret_mac[static SHA256_BYTES])
{
	uint8_t block[HMAC_BLOCK] = { 0 }, inner[SHA256_BYTES];
	if (key.len > sizeof(block))
		sha256_of(h, key.p, key.len, block);
	else if (key.len > 0)
		memcpy(block, key.p, key.len);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	sha256_begin(h);
	sha256_add(h, block, sizeof(block));
	sha256_add(h, message.p, message.len);
	sha256_end(h, inner);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha256_begin(h);
	sha256_add(h, block, sizeof(block));
	sha256_add(h, inner, sizeof(inner));
	sha256_end(h, ret_mac);
	OPENSSL_cleanse(block, sizeof(block));
}

/* Outer blanks go, runs of them inside become one. */
static void add_value(struct buf *to, struct slice value)
{
	bool begun = false;
	while (value.len > 0) {
		const char *blank = memchr(value.p, ' ', value.len);
		size_t word = blank ? (size_t)(blank - value.p) : value.len;
		if (word > 0 && begun)
			buf_char(to, ' ');
		buf_add(to, value.p, word);
		begun |= word > 0;
		word += blank != NULL;
		value = (struct slice){ value.p + word, value.len - word };
	}
}

static int by_header(const void *a, const void *b)
{
	return strcmp((*(const struct sigv4_header *const *)a)->name, (*(const struct sigv4_header *const *)b)->name);
}

static void add_names(struct buf *to, const struct sigv4_header *const *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(to, ';');
		buf_str(to, headers[i]->name);
	}
}

static void canonical(struct buf *to, const struct sigv4_request *q, const struct sigv4_header *const *headers)
{
	buf_str(to, q->method);
	buf_char(to, '\n');
	buf_add(to, q->path.p, q->path.len);
	buf_char(to, '\n');
	buf_add(to, q->query.p, q->query.len);
	buf_char(to, '\n');
	for (size_t i = 0; i < q->header_count; i++) {
		buf_str(to, headers[i]->name);
		buf_char(to, ':');
		add_value(to, headers[i]->value);
		buf_char(to, '\n');
	}
	buf_char(to, '\n');
	add_names(to, headers, q->header_count);
	buf_char(to, '\n');
	buf_str(to, q->payload);
}

static struct slice bytes(const uint8_t mac[static SHA256_BYTES])
{
	return (struct slice){ (const char *)mac, SHA256_BYTES };
}

void sigv4_key(const struct sigv4_scope *scope, struct sha256 *h, uint8_t ret_key[static SHA256_BYTES])
{
	uint8_t key[SHA256_BYTES], next[SHA256_BYTES];
	struct buf secret = { 0 };
	(void)buf_grow(&secret, sizeof("AWS4") + scope->secret.len); /* at once: growing would leave copies behind */
	buf_str(&secret, "AWS4");
	buf_add(&secret, scope->secret.p, scope->secret.len);
	hmac(h, buf_slice(&secret), (struct slice){ scope->time, SIGV4_DAY_LEN }, key);
	buf_wipe(&secret);
	hmac(h, bytes(key), slice_of(scope->region), next);
	hmac(h, bytes(next), slice_of(scope->service), key);
	hmac(h, bytes(key), SLICE_LIT("aws4_request"), ret_key);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(next, sizeof(next));
}

/* "20150830/us-east-1/s3/aws4_request" */
static void add_scope(struct buf *to, const struct sigv4_scope *scope)
{
	buf_add(to, scope->time, SIGV4_DAY_LEN);
	buf_char(to, '/');
	buf_str(to, scope->region);
	buf_char(to, '/');
	buf_str(to, scope->service);
	buf_str(to, "/aws4_request");
}

static void add_hex(struct buf *to, const uint8_t mac[static SHA256_BYTES])
{
	text_hex(mac, SHA256_BYTES, buf_grow(to, 2 * SHA256_BYTES));
	to->len += 2 * SHA256_BYTES;
}

void sigv4_authorization(struct buf *to, const struct sigv4_request *q, const struct sigv4_scope *scope,
	const uint8_t key[static SHA256_BYTES], struct sha256 *h)
{
	const struct sigv4_header *headers[SIGV4_HEADERS_MAX];
	uint8_t mac[SHA256_BYTES];
	struct buf text = { 0 };
	assert(q->header_count <= SIGV4_HEADERS_MAX);
	for (size_t i = 0; i < q->header_count; i++)
		headers[i] = &q->headers[i];
	qsort(headers, q->header_count, sizeof(*headers), by_header);
	(void)buf_grow(&text, TEXT_USUAL);
	canonical(&text, q, headers);
	sha256_of(h, text.data, text.len, mac);
	text.len = 0;
	buf_str(&text, "AWS4-HMAC-SHA256\n");
	buf_str(&text, scope->time);
	buf_char(&text, '\n');
	add_scope(&text, scope);
	buf_char(&text, '\n');
	add_hex(&text, mac);
	hmac(h, bytes(key), buf_slice(&text), mac);
	buf_done(&text);
	buf_str(to, "AWS4-HMAC-SHA256 Credential=");
	buf_add(to, scope->key_id.p, scope->key_id.len);
	buf_char(to, '/');
	add_scope(to, scope);
	buf_str(to, ", SignedHeaders=");
	add_names(to, headers, q->header_count);
	buf_str(to, ", Signature=");
	add_hex(to, mac);
}
