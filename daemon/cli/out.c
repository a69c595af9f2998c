/* out.c - standard output of the client. */
#include "daemon/cli/out.h"

#include "daemon/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int failed(struct err *err)
{
	return err_set(err, ERR_RETRY, errno, "write the output");
}

int out_write(void *arg, struct slice text, struct err *err)
{
	(void)arg;
	if (text.len && fwrite(text.p, 1, text.len, stdout) != text.len)
		return failed(err);
	return 0;
}

int out_printf(struct err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vprintf(fmt, ap);
	va_end(ap);
	return n < 0 ? failed(err) : 0;
}

int out_flush(struct err *err)
{
	return fflush(stdout) != 0 || ferror(stdout) ? failed(err) : 0;
}

bool out_color(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '\\';
}

void out_plain(struct buf *to, struct slice s)
{
	size_t run = 0; /* of what text_printable() would escape too much of */
	for (size_t i = 0; i < s.len; i++) {
		if (!is_quote(s.p[i]))
			continue;
		text_printable(to, (struct slice){ s.p + run, i - run });
		buf_char(to, s.p[i]);
		run = i + 1;
	}
	if (run < s.len)
		text_printable(to, (struct slice){ s.p + run, s.len - run });
}

void out_bytes(struct buf *to, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = (double)bytes;
	size_t unit = 0;
	while (n >= 1024 && unit + 1 < sizeof(units) / sizeof(*units)) {
		n /= 1024;
		unit++;
	}
	buf_printf(to, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
}
