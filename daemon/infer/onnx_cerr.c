/* onnx_cerr.c - std::cerr of ONNX Runtime, less the operators that are registered twice at one place. */
#include "daemon/infer/onnx_cerr.h"

#include "daemon/base/mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX 2048 /* a line that is longer is none of those that we know */

static const char alarm_start[] = "Schema error: Trying to register schema with name ";
static const char first_place[] = " from file ";
static const char second_place[] = ", but it is already registered from file ";

struct cerr {
	int fd;
	bool passing;     /* the rest of this line is let through */
	bool after_alarm; /* the line before was left out, and the empty one behind it is too */
	size_t len;       /* of a line that is not judged yet */
	char line[LINE_BYTES_MAX];
};

static void pass(const struct cerr *c, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(c->fd, text, n);
		if (done < 0 && errno != EINTR)
			return; /* as with any other message: there is nobody left to tell */
		text += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

/* Can what is here so far still become the false alarm? */
static bool may_be_alarm(const struct cerr *c)
{
	size_t known = sizeof(alarm_start) - 1;
	return memcmp(c->line, alarm_start, c->len < known ? c->len : known) == 0;
}

/* "... from file A line N, but it is already registered from file B line M\n" with A = B and N = M. */
static bool is_alarm(const struct cerr *c)
{
	if (c->len < sizeof(alarm_start) || !may_be_alarm(c))
		return false;
	const char *end = c->line + c->len - 1;
	const char *second = memmem(c->line, c->len, second_place, sizeof(second_place) - 1);
	const char *first = second ? memmem(c->line, (size_t)(second - c->line), first_place, sizeof(first_place) - 1) : NULL;
	if (!first)
		return false;
	size_t n = (size_t)(second - first) - (sizeof(first_place) - 1);
	second += sizeof(second_place) - 1;
	return (size_t)(end - second) == n && memcmp(first + sizeof(first_place) - 1, second, n) == 0;
}

/* n bytes of one line, the last of them perhaps its end. */
static void take_part(struct cerr *c, const char *part, size_t n)
{
	bool whole = part[n - 1] == '\n', fits = c->len + n <= sizeof(c->line);
	if (!c->passing && fits) {
		memcpy(c->line + c->len, part, n);
		c->len += n;
		if (!whole && may_be_alarm(c))
			return;
		bool alarm = is_alarm(c), its_end = c->after_alarm && c->len == 1 && whole;
		if (!alarm && !its_end)
			pass(c, c->line, c->len);
		c->after_alarm = alarm;
	} else {
		pass(c, c->line, c->len);
		pass(c, part, n);
		c->after_alarm = false;
	}
	c->len = 0;
	c->passing = !whole;
}

static ssize_t take(void *cookie, const char *text, size_t size)
{
	for (size_t done = 0, n; done < size; done += n) {
		const char *end = memchr(text + done, '\n', size - done);
		n = end ? (size_t)(end + 1 - (text + done)) : size - done;
		take_part(cookie, text + done, n);
	}
	return (ssize_t)size;
}

static int finish(void *cookie)
{
	struct cerr *c = cookie;
	pass(c, c->line, c->len);
	free(c);
	return 0;
}

static FILE *stream_of(struct cerr *c, int fd)
{
	c->fd = fd;
	FILE *f = fopencookie(c, "w", (cookie_io_functions_t){ .write = take, .close = finish });
	if (f)
		(void)setvbuf(f, NULL, _IONBF, 0);
	return f;
}

FILE *onnx_cerr_open(int fd)
{
	struct cerr *c = mem_zero(1, sizeof(*c));
	FILE *f = stream_of(c, fd);
	if (!f)
		free(c);
	return f;
}

void *onnx_cerr_dlopen(const char *path)
{
	static struct cerr of_process;
	static FILE *stream; /* never closed: libstdc++ keeps it, and so does whatever it says at exit */
	if (!stream)
		stream = stream_of(&of_process, STDERR_FILENO);
	FILE *ours = stderr;
	stderr = stream ? stream : ours;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	stderr = ours;
	return handle;
}
