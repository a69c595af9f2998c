/* s3_wire.c - takes over what libs3 composed, makes it canonical, signs and sends it. */
#include "connectors/s3_wire.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <curl/curl.h>
#include <libs3.h>
#include <pthread.h>
#include <stdarg.h>
#include <strings.h>
#include <time.h>

/* What libs3 takes for a CURL *: it sees the options that libs3 sets on the handle, and remembers the two that count. */
struct handle {
	const char *url;                  /* libs3's, until the request is done */
	const struct curl_slist *headers; /* likewise */
};
/* The request that this thread is in: there is no other way through libs3. */
struct running {
	const struct s3_exchange *x;
	struct http_reply *reply;
	struct err *err;
	bool sent;
	int result;
	S3Status composed;                /* libs3's word on a request that it did not compose */
};
static _Thread_local struct running *running;

/* ---- canonical form ---- */

/* libs3 leaves "!*'()" alone and writes a space as '+': decoded, and encoded again as S3 signs it. */
static int add_path(struct buf *to, struct slice libs3)
{
	CLEANUP(buf_done) struct buf plain = { 0 };
	char *out = buf_grow(&plain, libs3.len);
	for (size_t i = 0; i < libs3.len; i++) {
		uint8_t byte = (uint8_t)libs3.p[i];
		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			if (libs3.len - i < 3 || text_unhex((struct slice){ libs3.p + i + 1, 2 }, &byte, 1) < 0)
				return -1;
			i += 2;
		}
		*out++ = (char)byte;
	}
	plain.len = (size_t)(out - plain.data);
	sigv4_encode(to, buf_slice(&plain), true);
	return 0;
}

/* The path in "http://host/path". */
static struct slice path_of(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;
	return slice_of(path ? path : "/");
}

/* ---- headers ---- */

#define AUTHORIZATION_USUAL 512
#define HEADERS_MAX 12 /* libs3's two, six of ours, four of the caller's */

struct headers {
	struct sigv4_header signed_[HEADERS_MAX];
	size_t count;
	char *lines[HEADERS_MAX + 3]; /* "name: value"; owned */
	size_t line_count;
};

static void headers_done(struct headers *h)
{
	for (size_t i = 0; i < h->line_count; i++) {
		explicit_bzero(h->lines[i], strlen(h->lines[i])); /* among them the session token */
		free(h->lines[i]);
	}
}

static void add_line(struct headers *h, const char *name, struct slice value)
{
	struct buf line = { 0 };
	(void)buf_grow(&line, strlen(name) + 2 + value.len);
	buf_str(&line, name);
	buf_str(&line, ": ");
	buf_add(&line, value.p, value.len);
	h->lines[h->line_count++] = buf_take(&line);
}

static void add_signed(struct headers *h, const char *name, struct slice value)
{
	h->signed_[h->count++] = (struct sigv4_header){ name, value };
	add_line(h, name, value);
}

/* Of libs3's headers the two that say what is wanted; the others are its own date and signature. */
static void add_libs3(struct headers *h, const struct curl_slist *list)
{
	static const struct {
		const char *libs3, *name;
	} wanted[] = { { "Range: ", "range" }, { "If-Match: ", "if-match" } };
	for (; list; list = list->next) {
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			size_t n = strlen(wanted[i].libs3);
			if (strncmp(list->data, wanted[i].libs3, n) == 0)
				add_signed(h, wanted[i].name, slice_of(list->data + n));
		}
	}
}

static void sign(struct headers *h, const struct s3_exchange *x, const char *time, struct slice path, struct slice query)
{
	CLEANUP(buf_done) struct buf authorization = { 0 };
	const struct sigv4_request q = { .method = "GET", .path = path, .query = query, .headers = h->signed_,
		.header_count = h->count, .payload = SIGV4_EMPTY };
	const struct sigv4_scope scope = { .key_id = buf_slice(&x->credentials->key_id), .secret = buf_slice(&x->credentials->secret),
		.region = x->at->region, .service = "s3", .time = time };
	(void)buf_grow(&authorization, AUTHORIZATION_USUAL);
	sigv4_sign(x->signer, &authorization, &q, &scope);
	add_line(h, "Authorization", buf_slice(&authorization));
}

/* What is asked for, as it goes on the wire. */
static void add_url(struct buf *to, const struct s3_endpoint *at, struct slice path, struct slice query)
{
	(void)buf_grow(to, sizeof("https://?") + strlen(at->authority) + path.len + query.len);
	buf_str(to, at->https ? "https://" : "http://");
	buf_str(to, at->authority);
	buf_add(to, path.p, path.len);
	if (query.len > 0)
		buf_char(to, '?');
	buf_add(to, query.p, query.len);
}

static int send_composed(struct running *r, const struct handle *composed)
{
	const struct s3_exchange *x = r->x;
	char time[SIGV4_TIME_BYTES];
	CLEANUP(buf_done) struct buf url = { 0 };
	CLEANUP(buf_done) struct buf path = { 0 };
	CLEANUP(buf_done) struct buf query = { 0 };
	CLEANUP(headers_done) struct headers h = { .count = 0 };
	if (!composed->url || add_path(&path, path_of(composed->url)) < 0)
		return err_set(r->err, ERR_REJECT, 0, "libs3 composed no URL");
	sigv4_query(&query, x->params, x->param_count);
	add_url(&url, x->at, buf_slice(&path), buf_slice(&query));
	sigv4_time(x->time_s, time);
	add_signed(&h, "host", slice_of(x->at->authority));
	add_libs3(&h, composed->headers);
	for (size_t i = 0; i < x->header_count; i++)
		add_signed(&h, x->headers[i].name, x->headers[i].value);
	if (x->credentials->key_id.len > 0) {
		add_signed(&h, "x-amz-content-sha256", SLICE_LIT(SIGV4_EMPTY));
		add_signed(&h, "x-amz-date", slice_of(time));
		if (x->credentials->token.len > 0)
			add_signed(&h, "x-amz-security-token", buf_slice(&x->credentials->token));
		sign(&h, x, time, buf_slice(&path), buf_slice(&query));
	}
	add_line(&h, "Accept-Encoding", SLICE_LIT("identity"));
	const struct http_request q = { .url = url.data, .headers = (const char *const *)h.lines, .limit = x->limit, .head = x->head,
		.sink = x->body, .arg = x->arg };
	return http_send(x->key.len > 0 ? x->at->objects : x->at->listings, &q, r->reply, r->err);
}

/* ---- what libs3 calls in libcurl's place: names and shapes are libcurl's ---- */

CURL *s3_wire_easy_init(void);
void s3_wire_easy_cleanup(CURL *easy);
void s3_wire_easy_reset(CURL *easy);
CURLcode s3_wire_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode s3_wire_easy_perform(CURL *easy);
CURLcode s3_wire_easy_getinfo(CURL *easy, CURLINFO info, ...);
CURLMcode s3_wire_multi_add_handle(CURLM *multi, CURL *easy);
void *s3_wire_xml_create(void *handler, void *arg, const char *p, int n, const char *name);
int s3_wire_xml_parse(void *parser, const char *p, int n, int end);
void s3_wire_xml_free(void *parser);
void *s3_wire_xml_entity(const unsigned char *name);
struct tm *s3_wire_gmtime(const time_t *t);
size_t s3_wire_strftime(char *to, size_t size, const char *format, const struct tm *tm);
void s3_wire_hmac(unsigned char hmac[20], const unsigned char *key, int key_len, const unsigned char *text, int text_len);

CURL *s3_wire_easy_init(void)
{
	return mem_zero(1, sizeof(struct handle));
}

void s3_wire_easy_cleanup(CURL *easy)
{
	free(easy);
}

void s3_wire_easy_reset(CURL *easy)
{
	*(struct handle *)easy = (struct handle){ 0 };
}

CURLcode s3_wire_easy_setopt(CURL *easy, CURLoption option, ...)
{
	struct handle *h = easy;
	va_list args;
	va_start(args, option);
	if (option == CURLOPT_URL)
		h->url = va_arg(args, const char *);
	else if (option == CURLOPT_HTTPHEADER)
		h->headers = va_arg(args, const struct curl_slist *);
	va_end(args);
	return CURLE_OK;
}

CURLcode s3_wire_easy_perform(CURL *easy)
{
	running->sent = true;
	running->result = send_composed(running, easy);
	return running->result < 0 ? CURLE_RECV_ERROR : CURLE_OK;
}

CURLcode s3_wire_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list args;
	(void)easy;
	va_start(args, info);
	if (info == CURLINFO_RESPONSE_CODE)
		*va_arg(args, long *) = running->reply->status;
	va_end(args);
	return info == CURLINFO_RESPONSE_CODE ? CURLE_OK : CURLE_UNKNOWN_OPTION;
}

/* Its callers are not used; if they were, they would get nowhere. */
CURLMcode s3_wire_multi_add_handle(CURLM *multi, CURL *easy)
{
	(void)multi;
	(void)easy;
	return CURLM_BAD_HANDLE;
}

/* libs3 gets no body, so it needs no parser: without one it reports an internal error. */
void *s3_wire_xml_create(void *handler, void *arg, const char *p, int n, const char *name)
{
	(void)handler;
	(void)arg;
	(void)p;
	(void)n;
	(void)name;
	return NULL;
}

int s3_wire_xml_parse(void *parser, const char *p, int n, int end)
{
	(void)parser;
	(void)p;
	(void)n;
	(void)end;
	return -1;
}

void s3_wire_xml_free(void *parser)
{
	(void)parser;
}

void *s3_wire_xml_entity(const unsigned char *name)
{
	(void)name;
	return NULL;
}

/* Of its own date, which is dropped: nobody needs to know it. */
struct tm *s3_wire_gmtime(const time_t *t)
{
	static struct tm never;
	(void)t;
	return &never;
}

/* An empty one it would not survive. */
size_t s3_wire_strftime(char *to, size_t size, const char *format, const struct tm *tm)
{
	static const char date[] = "Thu, 01 Jan 1970 00:00:00 GMT";
	(void)format;
	(void)tm;
	if (size < sizeof(date))
		return 0;
	memcpy(to, date, sizeof(date));
	return sizeof(date) - 1;
}

/* Of its own signature, which is dropped: nobody needs to compute it. */
void s3_wire_hmac(unsigned char hmac[20], const unsigned char *key, int key_len, const unsigned char *text, int text_len)
{
	(void)key;
	(void)key_len;
	(void)text;
	(void)text_len;
	memset(hmac, 0, 20);
}

/* ---- through libs3 ---- */

static pthread_mutex_t users = PTHREAD_MUTEX_INITIALIZER; /* libs3 counts its users without one */

void s3_wire_begin(void)
{
	(void)pthread_mutex_lock(&users);
	if (S3_initialize(NULL, S3_INIT_ALL, NULL) != S3StatusOK)
		abort(); /* only for want of memory: as mem.h */
	(void)pthread_mutex_unlock(&users);
}

void s3_wire_end(void)
{
	(void)pthread_mutex_lock(&users);
	S3_deinitialize();
	(void)pthread_mutex_unlock(&users);
}

static S3Status on_properties(const S3ResponseProperties *properties, void *arg)
{
	const struct running *r = arg;
	(void)properties;
	return r->result < 0 ? S3StatusConnectionFailed : S3StatusOK;
}

static void on_complete(S3Status status, const S3ErrorDetails *details, void *arg)
{
	struct running *r = arg;
	(void)details;
	r->composed = status;
}

static char *quoted(struct slice etag)
{
	struct buf text = { 0 };
	(void)buf_grow(&text, etag.len + 2);
	buf_char(&text, '"');
	buf_add(&text, etag.p, etag.len);
	buf_char(&text, '"');
	return buf_take(&text);
}

static void compose(struct running *r)
{
	const struct s3_exchange *x = r->x;
	/* Its keys only make the signature that is dropped. */
	const S3BucketContext context = { .hostName = x->at->host, .bucketName = x->bucket,
		.protocol = x->at->https ? S3ProtocolHTTPS : S3ProtocolHTTP,
		.uriStyle = x->at->path_style ? S3UriStylePath : S3UriStyleVirtualHost, .accessKeyId = "-", .secretAccessKey = "-" };
	CLEANUP(freep) char *key = mem_strndup(x->key.p ? x->key.p : "", x->key.len);
	CLEANUP(freep) char *etag = quoted(x->etag);
	const S3GetConditions conditions = { .ifModifiedSince = -1, .ifNotModifiedSince = -1, .ifMatchETag = x->etag.len > 0 ? etag : NULL };
	const S3GetObjectHandler object = { .responseHandler = { on_properties, on_complete } };
	const S3ListBucketHandler bucket = { .responseHandler = { on_properties, on_complete } };
	if (x->key.len > 0)
		S3_get_object(&context, key, &conditions, x->from, x->count, NULL, &object, r);
	else
		S3_list_bucket(&context, NULL, NULL, NULL, 0, NULL, &bucket, r);
}

int s3_wire_send(const struct s3_exchange *x, struct http_reply *ret, struct err *err)
{
	struct running r = { .x = x, .reply = ret, .err = err, .result = -1 };
	*ret = (struct http_reply){ .length = -1 };
	if (x->key.len > 0 && memchr(x->key.p, '\0', x->key.len))
		return err_set(err, ERR_REJECT, 0, "a key with a NUL byte cannot be asked for");
	running = &r;
	compose(&r);
	running = NULL;
	if (!r.sent)
		return err_set(err, ERR_REJECT, 0, "libs3 does not take this request: %s", S3_get_status_name(r.composed));
	return r.result;
}
