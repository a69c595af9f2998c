/* iso_time.c - takes a date and time apart. */
#include "daemon/base/iso_time.h"

#include <time.h>

static int digits(struct slice *s, size_t n, int *ret)
{
	int value = 0;
	if (s->len < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		value = value * 10 + (s->p[i] - '0');
	}
	*s = (struct slice){ s->p + n, s->len - n };
	*ret = value;
	return 0;
}

static int literal(struct slice *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return -1;
	*s = (struct slice){ s->p + 1, s->len - 1 };
	return 0;
}

/* "Z", "+01:00" or "-0500": seconds east of Greenwich. */
static int zone(struct slice s, int *ret_seconds)
{
	int hours = 0, minutes = 0;
	if (s.len == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
		*ret_seconds = 0;
		return 0;
	}
	bool west = s.len && s.p[0] == '-';
	if (literal(&s, west ? '-' : '+') < 0 || digits(&s, 2, &hours) < 0)
		return -1;
	(void)literal(&s, ':');
	if (digits(&s, 2, &minutes) < 0 || s.len)
		return -1;
	*ret_seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

int iso_time_parse(struct slice text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	int offset = 0;
	if (digits(&text, 4, &tm.tm_year) < 0 || literal(&text, '-') < 0 || digits(&text, 2, &tm.tm_mon) < 0 ||
		literal(&text, '-') < 0 || digits(&text, 2, &tm.tm_mday) < 0 || literal(&text, 'T') < 0 ||
		digits(&text, 2, &tm.tm_hour) < 0 || literal(&text, ':') < 0 || digits(&text, 2, &tm.tm_min) < 0 ||
		literal(&text, ':') < 0 || digits(&text, 2, &tm.tm_sec) < 0)
		return -1;
	if (literal(&text, '.') == 0) {
		int digit;
		while (digits(&text, 1, &digit) == 0)
			;
	}
	if (zone(text, &offset) < 0 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 24 || tm.tm_min > 59 ||
		tm.tm_sec > 60)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_ms = ((int64_t)timegm(&tm) - offset) * 1000;
	return 0;
}
