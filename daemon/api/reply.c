/* reply.c - makes answers; every one of them carries the headers that keep a browser from running user media. */
#include "daemon/api/reply.h"

#include "daemon/api/problem.h"
#include "daemon/base/log.h"
#include "daemon/base/mem.h"
#include "daemon/base/version.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STREAM_BLOCK (64U << 10)

void reply_header(struct reply *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r->response, name, value);
}

/* MHD fails here only for lack of memory, and that stops the process everywhere (mem.h). */
static struct reply finish(unsigned status, struct MHD_Response *response)
{
	if (!response)
		abort();
	struct reply r = { .status = status, .response = response };
	reply_header(&r, "Server", "inlet/" INLET_VERSION);
	reply_header(&r, "X-Content-Type-Options", "nosniff");
	reply_header(&r, "Content-Security-Policy", "default-src 'none'; sandbox");
	reply_header(&r, "Cross-Origin-Resource-Policy", "same-origin");
	reply_header(&r, "Cache-Control", "no-cache");
	return r;
}

struct reply reply_text(unsigned status, const char *type, struct buf *text)
{
	size_t len = text->len;
	struct reply r = finish(status, MHD_create_response_from_buffer(len, buf_take(text), MHD_RESPMEM_MUST_FREE));
	reply_header(&r, "Content-Type", type);
	return r;
}

struct reply reply_problem(unsigned status, const char *fmt, ...)
{
	char detail[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	struct buf text = { 0 };
	problem_json(status, detail, &text);
	struct reply r = reply_text(status, PROBLEM_TYPE, &text);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		reply_header(&r, "Retry-After", "5");
	return r;
}

struct reply reply_err(const struct err *err, unsigned reject_status)
{
	return reply_problem(problem_status(err, reject_status), "%s", err->text);
}

struct reply reply_empty(unsigned status)
{
	return finish(status, MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
}

struct reply reply_file(int fd, uint64_t offset, uint64_t bytes)
{
	if (bytes == 0) {
		(void)close(fd);
		return reply_empty(MHD_HTTP_OK);
	}
	return finish(MHD_HTTP_OK, MHD_create_response_from_fd_at_offset64(bytes, fd, offset));
}

struct stream {
	struct gate *gate;
	fill_fn *fill;
	void *arg;
	void (*free_arg)(void *arg);
	struct buf text;  /* made, from `sent` on not yet handed over */
	size_t sent;
	int more;         /* what fill last returned */
	struct MHD_Response *response; /* whose stream this is */
	const char *foot_name;         /* NULL: none, or given */
	foot_fn *foot;
};

static void stream_free(void *arg)
{
	struct stream *s = arg;
	s->free_arg(s->arg);
	buf_done(&s->text);
	free(s);
}

static int stream_fill(struct stream *s, struct err *err)
{
	s->text.len = s->sent = 0;
	while (s->text.len == 0 && s->more > 0 && !s->gate->stopping)
		s->more = s->fill(s->arg, &s->text, err);
	return s->more;
}

static void stream_foot(struct stream *s)
{
	if (!s->foot_name || s->more != 0)
		return;
	s->text.len = s->sent = 0;
	s->foot(s->arg, &s->text);
	if (s->text.len)
		(void)MHD_add_response_footer(s->response, s->foot_name, s->text.data);
	s->text.len = 0;
	s->foot_name = NULL;
}

static ssize_t stream_read(void *arg, uint64_t pos, char *to, size_t max)
{
	(void)pos;
	struct stream *s = arg;
	struct err err;
	if (s->sent == s->text.len && s->more > 0) {
		s->gate->running++;
		if (stream_fill(s, &err) < 0)
			LOG_WARNING(LOG_STORE, "an answer was cut off: %s", err.text);
		s->gate->running--;
	}
	if (s->sent == s->text.len)
		stream_foot(s);
	if (s->sent == s->text.len)
		return s->more == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
	size_t n = s->text.len - s->sent < max ? s->text.len - s->sent : max;
	memcpy(to, s->text.data + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

struct reply reply_stream(
	const struct request *r, const char *type, fill_fn *fill, void *arg, void (*free_arg)(void *arg))
{
	struct stream *s = mem_zero(1, sizeof(*s));
	*s = (struct stream){ .gate = r->gate, .fill = fill, .arg = arg, .free_arg = free_arg, .more = 1 };
	struct err err;
	if (stream_fill(s, &err) < 0) {
		stream_free(s);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, s, stream_free);
	struct reply reply = finish(MHD_HTTP_OK, response);
	reply_header(&reply, "Content-Type", type);
	s->response = response;
	reply.stream = s;
	return reply;
}

void reply_footer(struct reply *r, const char *name, foot_fn *foot)
{
	if (!r->stream)
		return;
	r->stream->foot_name = name;
	r->stream->foot = foot;
}
