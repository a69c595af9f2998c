/* client.c - HTTP over the Unix socket, by libcurl. */
#include "daemon/cli/client.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"
#include "daemon/cli/attend.h"
#include "daemon/cli/interrupt.h"
#include "daemon/cli/progress.h"
#include "daemon/net/local.h"

#include <curl/curl.h>
#include <errno.h>

#define PROBLEM_MAX (64U << 10) /* bytes of an error answer that are read */
#define LINE_MAX_BYTES (64U << 20)
#define TICK_MS 250
#define UPLOAD_BUFFER (512L << 10)

struct client {
	struct attend attend;
	CURLM *multi;
	CURL *easy, *peek;   /* peek: asks for the status while easy waits */
	client_watch_fn *watch;
	void *watch_arg;
};

/* One answer as it comes in. */
struct answer {
	CURL *easy;
	client_sink_fn *sink;
	void *arg;
	struct err *err;
	bool sink_failed;
	struct buf problem;
	client_source_fn *source; /* of an upload */
	void *source_arg;
};

static CURL *easy_new(const struct client *c)
{
	char path[64];
	CURL *easy = curl_easy_init();
	if (!easy)
		abort();
	local_path(c->attend.dir, "inlet.sock", path, sizeof(path));
	(void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, path);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return easy;
}

int client_open(const struct config *config, struct client **ret, struct err *err)
{
	struct client *c = mem_zero(1, sizeof(*c));
	if (attend_join(config, &c->attend, err) < 0) {
		attend_leave(&c->attend);
		free(c);
		return -1;
	}
	(void)curl_global_init(CURL_GLOBAL_NOTHING);
	c->multi = curl_multi_init();
	c->easy = easy_new(c);
	c->peek = easy_new(c);
	(void)curl_easy_setopt(c->peek, CURLOPT_TIMEOUT_MS, 2000L);
	*ret = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->peek);
	curl_easy_cleanup(c->easy);
	(void)curl_multi_cleanup(c->multi);
	curl_global_cleanup();
	attend_leave(&c->attend);
	free(c);
}

bool client_stand_in(const struct client *c)
{
	return c->attend.fd >= 0;
}

void client_watch(struct client *c, client_watch_fn *fn, void *arg)
{
	c->watch = fn;
	c->watch_arg = arg;
}

const char *client_type(const struct client *c)
{
	const char *type = NULL;
	(void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
	return type ? type : "";
}

long client_status(const struct client *c)
{
	long status = 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

const char *client_trailer(const struct client *c, const char *name)
{
	struct curl_header *h;
	return curl_easy_header(c->easy, name, 0, CURLH_TRAILER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

void client_query(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	char *escaped = curl_easy_escape(NULL, value, 0);
	buf_printf(path, "%c%s=%s", strchr(path->data, '?') ? '&' : '?', name, escaped ? escaped : "");
	curl_free(escaped);
}

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	long status = 0;
	n *= size;
	(void)curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300) {
		if (a->problem.len + n <= PROBLEM_MAX)
			buf_add(&a->problem, p, n);
		return n;
	}
	if (a->sink(a->arg, (struct slice){ p, n }, a->err) == 0)
		return n;
	a->sink_failed = true;
	return CURL_WRITEFUNC_ERROR;
}

static int collect(void *arg, struct slice bytes, struct err *err)
{
	(void)err;
	buf_add(arg, bytes.p, bytes.len);
	return 0;
}

static void prepare(CURL *easy, const char *path, const char *body, struct answer *a, struct curl_slist *headers)
{
	CLEANUP(freep) char *url = mem_printf("http://inlet%s", path);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, a);
	if (body)
		(void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
	else
		(void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

static void peek(struct client *c)
{
	struct buf text = { 0 };
	struct answer a = { .easy = c->peek, .sink = collect, .arg = &text };
	prepare(c->peek, "/api/v1/status", NULL, &a, NULL);
	if (curl_easy_perform(c->peek) == CURLE_OK) {
		json_t *status = json_loadb(text.data ? text.data : "", text.len, 0, NULL);
		if (status)
			c->watch(c->watch_arg, status);
		json_decref(status);
	}
	buf_done(&text);
	buf_done(&a.problem);
}

/* Drives one transfer to its end. CURLE_ABORTED_BY_CALLBACK: Ctrl-C. */
static CURLcode drive(struct client *c)
{
	int running = 1;
	int left;
	uint64_t peek_ns = clock_mono_ns() + 2 * TICK_MS * NS_PER_MS;
	for (;;) {
		if (curl_multi_perform(c->multi, &running) != CURLM_OK)
			return CURLE_FAILED_INIT;
		if (running == 0)
			break;
		(void)curl_multi_poll(c->multi, NULL, 0, TICK_MS, NULL);
		if (interrupted())
			return CURLE_ABORTED_BY_CALLBACK;
		if (c->watch && clock_mono_ns() >= peek_ns) {
			peek(c);
			peek_ns = clock_mono_ns() + TICK_MS * NS_PER_MS;
		}
	}
	const CURLMsg *done = curl_multi_info_read(c->multi, &left);
	return done ? done->data.result : CURLE_FAILED_INIT;
}

/* The detail of a problem document, whatever else came. */
static int refused(const struct answer *a, long status, struct err *err)
{
	json_t *problem = json_loadb(a->problem.data ? a->problem.data : "", a->problem.len, 0, NULL);
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	if (detail)
		(void)err_set(err, status < 500 ? ERR_REJECT : ERR_RETRY, 0, "%s", detail);
	else
		(void)err_set(err, ERR_RETRY, 0, "inletd answered %ld and did not say why", status);
	json_decref(problem);
	return -1;
}

static int broken(const struct client *c, CURLcode code, struct err *err)
{
	char words[300];
	attend_last_words(&c->attend, words, sizeof(words));
	return err_set(err, ERR_RETRY, 0,
		"the connection to inletd broke (%s)%s%s; `journalctl -u inletd` tells more, nothing is lost",
		curl_easy_strerror(code), *words ? "; it said: " : "", words);
}

/* One prepared request, to its end. */
static int transfer(struct client *c, struct answer *a, struct err *err)
{
	long status = 0;
	(void)curl_multi_add_handle(c->multi, c->easy);
	CURLcode code = drive(c);
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_multi_remove_handle(c->multi, c->easy);
	int r = 0;
	if (code == CURLE_ABORTED_BY_CALLBACK && interrupted())
		r = err_set(err, ERR_RETRY, EINTR, "the answer");
	else if (a->sink_failed)
		r = -1;
	else if (code != CURLE_OK)
		r = broken(c, code, err);
	else if (status >= 300)
		r = refused(a, status, err);
	buf_done(&a->problem);
	return r;
}

int client_request(
	struct client *c, const char *path, const char *body, client_sink_fn *sink, void *arg, struct err *err)
{
	struct answer a = { .easy = c->easy, .sink = sink, .arg = arg, .err = err };
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	prepare(c->easy, path, body, &a, headers);
	int r = transfer(c, &a, err);
	curl_slist_free_all(headers);
	progress_clear();
	return r;
}

static int parse_answer(struct slice text, json_t **ret, struct err *err)
{
	json_error_t why;
	json_t *value = json_loadb(text.p ? text.p : "", text.len, JSON_ALLOW_NUL, &why);
	if (!value)
		return err_set(err, ERR_RETRY, 0, "the answer is not JSON (%s); are inlet and inletd of one version?",
			why.text);
	*ret = value;
	return 0;
}

int client_json(struct client *c, const char *path, const char *body, json_t **ret, struct err *err)
{
	struct buf text = { 0 };
	int r = client_request(c, path, body, collect, &text, err);
	if (r == 0)
		r = parse_answer(buf_slice(&text), ret, err);
	buf_done(&text);
	return r;
}

static size_t give_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	ssize_t got = a->source(a->source_arg, p, size * n, a->err);
	a->sink_failed = got < 0;
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

int client_upload(struct client *c, const char *path, client_source_fn *source, void *arg, json_t **ret, struct err *err)
{
	struct buf text = { 0 };
	struct answer a = { .easy = c->easy, .sink = collect, .arg = &text, .err = err, .source = source, .source_arg = arg };
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
	headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
	headers = curl_slist_append(headers, "Expect:");
	prepare(c->easy, path, NULL, &a, headers);
	(void)curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, NULL);
	(void)curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	(void)curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, give_bytes);
	(void)curl_easy_setopt(c->easy, CURLOPT_READDATA, &a);
	int r = transfer(c, &a, err);
	if (r == 0)
		r = parse_answer(buf_slice(&text), ret, err);
	curl_slist_free_all(headers);
	buf_done(&text);
	return r;
}

/* Cuts an answer into lines. */
struct lines {
	client_line_fn *fn;
	void *arg;
	struct buf rest; /* of a line not yet whole */
};

static int one_line(const struct lines *l, struct slice text, struct err *err)
{
	json_error_t why;
	json_t *line = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &why);
	if (!line)
		return err_set(err, ERR_RETRY, 0, "a line of the answer is not JSON (%s)", why.text);
	int r = l->fn(l->arg, line, err);
	json_decref(line);
	return r;
}

static int cut_lines(void *arg, struct slice bytes, struct err *err)
{
	struct lines *l = arg;
	const char *end;
	while (bytes.len && (end = memchr(bytes.p, '\n', bytes.len))) {
		size_t n = (size_t)(end - bytes.p);
		buf_add(&l->rest, bytes.p, n);
		if (l->rest.len && one_line(l, buf_slice(&l->rest), err) < 0)
			return -1;
		l->rest.len = 0;
		bytes = (struct slice){ end + 1, bytes.len - n - 1 };
	}
	if (l->rest.len + bytes.len > LINE_MAX_BYTES)
		return err_set(err, ERR_RETRY, 0, "a line of the answer is longer than %u bytes", LINE_MAX_BYTES);
	buf_add(&l->rest, bytes.p, bytes.len);
	return 0;
}

int client_lines(struct client *c, const char *path, const char *body, client_line_fn *fn, void *arg, struct err *err)
{
	struct lines l = { .fn = fn, .arg = arg };
	int r = client_request(c, path, body, cut_lines, &l, err);
	buf_done(&l.rest);
	return r;
}
