/* http_date.c - reads the three date forms of HTTP, and Retry-After. */
#include "daemon/net/http_date.h"

#include "daemon/base/text.h"

#include <time.h>

#define YEAR_MS (365LL * 86400000LL)

/* A cursor over the text; every take fails for good once one has failed. */
struct scan {
	const char *p, *end;
	bool failed;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool at(const struct scan *s, char c)
{
	return !s->failed && s->p < s->end && *s->p == c;
}

static void take(struct scan *s, const char *literal)
{
	size_t len = strlen(literal);
	if (s->failed || (size_t)(s->end - s->p) < len || memcmp(s->p, literal, len) != 0)
		s->failed = true;
	else
		s->p += len;
}

static int take_digits(struct scan *s, size_t count)
{
	int n = 0;
	if (s->failed || (size_t)(s->end - s->p) < count) {
		s->failed = true;
		return 0;
	}
	for (size_t i = 0; i < count; i++, s->p++) {
		if (*s->p < '0' || *s->p > '9')
			s->failed = true;
		n = n * 10 + (*s->p - '0');
	}
	return s->failed ? 0 : n;
}

static void skip_word(struct scan *s)
{
	const char *from = s->p;
	while (!s->failed && s->p < s->end && is_letter(*s->p))
		s->p++;
	s->failed = s->failed || s->p == from;
}

static int take_month(struct scan *s)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	for (int i = 0; i < 12; i++) {
		if (!s->failed && s->end - s->p >= 3 && memcmp(s->p, months[i], 3) == 0) {
			s->p += 3;
			return i;
		}
	}
	s->failed = true;
	return 0;
}

static void take_clock(struct scan *s, struct tm *ret)
{
	ret->tm_hour = take_digits(s, 2);
	take(s, ":");
	ret->tm_min = take_digits(s, 2);
	take(s, ":");
	ret->tm_sec = take_digits(s, 2);
	if (ret->tm_hour > 23 || ret->tm_min > 59 || ret->tm_sec > 60)
		s->failed = true;
}

/* Behind the name of the day: " Nov  6 08:49:37 1994". */
static void take_asctime(struct scan *s, struct tm *ret)
{
	take(s, " ");
	ret->tm_mon = take_month(s);
	take(s, " ");
	if (at(s, ' '))
		take(s, " ");
	ret->tm_mday = take_digits(s, s->end - s->p > 1 && s->p[1] == ' ' ? 1 : 2);
	take(s, " ");
	take_clock(s, ret);
	take(s, " ");
	ret->tm_year = take_digits(s, 4) - 1900;
}

/* Behind the name of the day: ", 06 Nov 1994 08:49:37 GMT" or ", 06-Nov-94 08:49:37 GMT". */
static bool take_dated(struct scan *s, struct tm *ret)
{
	take(s, ", ");
	ret->tm_mday = take_digits(s, 2);
	bool short_year = at(s, '-');
	const char *gap = short_year ? "-" : " ";
	take(s, gap);
	ret->tm_mon = take_month(s);
	take(s, gap);
	ret->tm_year = short_year ? take_digits(s, 2) : take_digits(s, 4) - 1900;
	take(s, " ");
	take_clock(s, ret);
	take(s, " GMT");
	return short_year;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar; month 0..11. timegm() takes the lock of the time zone for it. */
static int64_t days_of(int64_t year, int month, int day)
{
	static const int before[12] = { 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275 }; /* of a year that begins in March */
	year -= month < 2;
	return year * 365 + year / 4 - year / 100 + year / 400 + before[month] + day - 1 - 719468;
}

static int month_days(int64_t year, int month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 1 ? 28 + leap : 30 + ((month + (month > 6)) % 2 == 0);
}

static int64_t to_ms(const struct tm *when)
{
	int64_t year = when->tm_year + 1900LL;
	int64_t seconds = ((days_of(year, when->tm_mon, when->tm_mday) * 24 + when->tm_hour) * 60 + when->tm_min) * 60 + when->tm_sec;
	return when->tm_mday <= month_days(year, when->tm_mon) && seconds > 0 ? seconds * 1000 : 0; /* 31 Feb is no date */
}

int64_t http_date_ms(struct slice text, int64_t now_ms)
{
	if (text.len == 0)
		return 0;
	struct scan s = { text.p, text.p + text.len, false };
	struct tm when = { .tm_year = 0 };
	bool short_year = false;
	skip_word(&s);
	if (at(&s, ','))
		short_year = take_dated(&s, &when);
	else
		take_asctime(&s, &when);
	if (s.failed || s.p != s.end || when.tm_mday < 1 || when.tm_mday > 31)
		return 0;
	if (!short_year)
		return to_ms(&when);
	when.tm_year += 100;
	if (to_ms(&when) > now_ms + 50 * YEAR_MS)
		when.tm_year -= 100;
	return to_ms(&when);
}

uint32_t http_retry_after_ms(struct slice text, int64_t now_ms)
{
	uint64_t seconds;
	if (text_u64(text, &seconds) == 0)
		return seconds < HTTP_WAIT_MAX_MS / 1000 ? (uint32_t)seconds * 1000 : HTTP_WAIT_MAX_MS;
	int64_t ahead = http_date_ms(text, now_ms) - now_ms;
	if (ahead <= 0)
		return 0;
	return ahead < HTTP_WAIT_MAX_MS ? (uint32_t)ahead : HTTP_WAIT_MAX_MS;
}
