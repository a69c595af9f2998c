/* values.c - finds where JSON values end. */
#include "daemon/manifest/values.h"

#include "daemon/manifest/line.h"

#define DEPTH_MAX 64U
#define KEPT 4096U

void values_init(struct values *v, struct window *w, enum values_layout layout, size_t max)
{
	*v = (struct values){ .window = w, .layout = layout, .max = max };
}

void values_done(struct values *v)
{
	buf_done(&v->kept);
	*v = (struct values){ 0 };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int values_peek(struct values *v, char *ret, struct err *err)
{
	struct window *w = v->window;
	for (;;) {
		size_t n = 0;
		while (n < window_left(w) && is_blank(w->data[w->at + n]))
			n++;
		window_pass(w, n);
		if (window_left(w) > 0) {
			*ret = w->data[w->at];
			return 0;
		}
		int more = window_more(w, err);
		if (more < 0)
			return -1;
		if (more == 0 && w->ended) {
			*ret = '\0';
			return 0;
		}
	}
}

/* ---- where a value ends ---- */

enum step { STEP_ON, STEP_DONE, STEP_BAD };
struct scan {
	size_t i;                  /* next byte, from the value's beginning */
	unsigned int depth;
	uint64_t curly;            /* bit d: the bracket at depth d is a brace */
	bool string, escape, bare; /* bare: a number or word */
	size_t string_at;
	const char *reason;
	size_t bad_at;
};

static enum step bad(struct scan *s, size_t at, const char *reason)
{
	s->reason = reason;
	s->bad_at = at;
	return STEP_BAD;
}

static enum step step_string(struct scan *s, char c)
{
	if (s->escape)
		s->escape = false;
	else if (c == '\\')
		s->escape = true;
	else if (c == '"')
		s->string = false;
	else if (c == '\n')
		return bad(s, s->string_at, "a string is not closed");
	s->i++;
	return !s->string && s->depth == 0 ? STEP_DONE : STEP_ON;
}

static enum step step_bracket(struct scan *s, char c)
{
	bool brace = c == '{' || c == '}';
	if (c == '{' || c == '[') {
		if (s->depth == DEPTH_MAX)
			return bad(s, s->i, "values are nested too deeply");
		s->curly = brace ? s->curly | 1ULL << s->depth : s->curly & ~(1ULL << s->depth);
		s->depth++;
		s->i++;
		return STEP_ON;
	}
	if (s->depth == 0)
		return bad(s, s->i, "a bracket closes that nothing opened");
	if ((s->curly >> (s->depth - 1) & 1) != brace)
		return bad(s, s->i, brace ? "a ] is expected here" : "a } is expected here");
	s->i++;
	return --s->depth == 0 ? STEP_DONE : STEP_ON;
}

static enum step step(struct scan *s, char c)
{
	if (s->string)
		return step_string(s, c);
	if (s->bare && (is_blank(c) || strchr(",]}[{\"", c)) && c)
		return STEP_DONE;
	switch (c) {
	case '"':
		s->string = true;
		s->string_at = s->i++;
		return STEP_ON;
	case '{': case '[': case '}': case ']':
		return step_bracket(s, c);
	default:
		s->bare = s->bare || s->depth == 0;
		s->i++;
		return STEP_ON;
	}
}

/* Strings are most of a text: on to the byte that can end one. */
static void run_string(struct scan *s, const char *p, size_t left)
{
	while (s->i < left && !s->escape && p[s->i] != '"' && p[s->i] != '\\' && p[s->i] != '\n')
		s->i++;
}

/* STEP_ON: the text ended, or the limit is reached. -1. */
static int scan_value(struct values *v, struct scan *s, struct err *err)
{
	struct window *w = v->window;
	for (;;) {
		size_t left = window_left(w);
		const char *p = w->data + w->at;
		while (s->i < left) {
			enum step r = step(s, p[s->i]);
			if (r != STEP_ON)
				return (int)r;
			if (s->string)
				run_string(s, p, left);
		}
		if (w->ended)
			return s->bare ? STEP_DONE : STEP_ON;
		if (left > v->max)
			return STEP_ON;
		if (window_more(w, err) < 0)
			return -1;
	}
}

/* ---- behind a bad value ---- */

/* The line at `at` begins with a bracket in the column, a comma before it allowed. */
static bool begins_value(const struct window *w, size_t column)
{
	size_t i = 0;
	size_t left = window_left(w);
	const char *p = w->data + w->at;
	while (i < left && (p[i] == ' ' || p[i] == '\t' || p[i] == ','))
		i++;
	return i < left && i + 1 == column && (p[i] == '{' || p[i] == '[');
}

/* On to a line on which the next value may begin, or to the end. */
static int resynchronise(struct values *v, size_t column, struct err *err)
{
	struct window *w = v->window;
	struct line l;
	for (;;) {
		int got = line_next(w, v->max, &v->kept, &l, err);
		if (got <= 0)
			return got;
		while (window_left(w) < column + 1 && !w->ended)
			if (window_more(w, err) < 0)
				return -1;
		if (begins_value(w, column))
			return 1;
	}
}

/* On to the value's end without holding it: STEP_DONE, STEP_BAD, STEP_ON where the text ends first, -1. */
static int pass_value(struct values *v, struct scan *s, struct err *err)
{
	struct window *w = v->window;
	for (;;) {
		size_t left = window_left(w);
		enum step r = STEP_ON;
		while (r == STEP_ON && s->i < left)
			r = step(s, w->data[w->at + s->i]);
		window_pass(w, s->i);
		s->i = 0;
		if (r != STEP_ON)
			return (int)r;
		if (w->ended)
			return s->bare ? STEP_DONE : STEP_ON;
		if (window_more(w, err) < 0)
			return -1;
	}
}

static int bad_value(struct values *v, struct value *ret, struct scan *s, bool is_whole, struct err *err)
{
	struct window *w = v->window;
	size_t left = window_left(w);
	bool too_long = !s->reason && s->i > v->max;
	ret->reason = s->reason ? s->reason : too_long ? "the row is longer than allowed" : "it ends in the middle of a value";
	ret->too_long = too_long;
	ret->cure = too_long ? "split it, or raise the limit" : "correct it; each row is JSON of its own";
	ret->bad_at = window_place(w, w->at + (s->reason ? s->bad_at : too_long ? 0 : left));
	size_t shown = left < KEPT ? left : KEPT;
	struct buf beginning = { 0 };
	buf_add(&beginning, w->data + w->at, shown);
	int r = STEP_BAD;
	if (is_whole || s->reason)
		window_pass(w, s->i);
	if (is_whole)
		r = STEP_DONE;
	else if (!s->reason)
		r = pass_value(v, s, err);
	if (r == STEP_BAD)
		r = resynchronise(v, ret->at.column, err);
	v->kept.len = 0;
	buf_add(&v->kept, beginning.data, shown);
	buf_done(&beginning);
	ret->text = buf_slice(&v->kept);
	ret->cut = true;
	return r < 0 ? -1 : VALUES_BAD;
}

/* ---- the next one ---- */

static int next_line(struct values *v, struct value *ret, struct err *err)
{
	struct line l;
	for (;;) {
		int got = line_next(v->window, v->max, &v->kept, &l, err);
		if (got <= 0)
			return got;
		size_t i = 0;
		while (i < l.text.len && is_blank(l.text.p[i]))
			i++;
		if (i == l.text.len)
			continue;
		*ret = (struct value){ .at = l.at, .text = l.text, .cut = l.cut, .bad_at = l.at };
		if (!l.cut)
			return VALUES_ONE;
		ret->reason = "the row is longer than allowed";
		ret->cure = "split it, or raise the limit";
		return VALUES_BAD;
	}
}

/* Commas and brackets around the values of a list: 1 a value follows, 0 the list ends, -1. */
static int within_list(struct values *v, struct err *err)
{
	char c = '\0';
	for (;;) {
		if (values_peek(v, &c, err) < 0)
			return -1;
		if (c == '[' && !v->inside) {
			v->inside = true;
		} else if (c == ']' && v->inside) {
			window_pass(v->window, 1);
			v->finished = true;
			return 0;
		} else if (c == '\0' && v->window->ended && window_left(v->window) == 0) {
			return err_set(err, ERR_REJECT, 0, "its list is not closed: the rest of it may be missing");
		} else if (c != ',') {
			return 1;
		}
		window_pass(v->window, 1);
	}
}

/* 1 a value follows, 0 there is none, -1. */
static int to_value(struct values *v, struct err *err)
{
	char c = '\0';
	if (v->finished)
		return 0;
	if (v->layout == VALUES_LIST)
		return within_list(v, err);
	if (values_peek(v, &c, err) < 0)
		return -1;
	return c != '\0' || window_left(v->window) > 0;
}

int values_next(struct values *v, struct value *ret, struct err *err)
{
	struct window *w = v->window;
	if (v->layout == VALUES_LINES)
		return next_line(v, ret, err);
	int more = to_value(v, err);
	if (more <= 0)
		return more;
	*ret = (struct value){ .at = window_place(w, w->at) };
	struct scan s = { 0 };
	int r = scan_value(v, &s, err);
	if (r < 0)
		return -1;
	if (r != STEP_DONE || s.i > v->max)
		return bad_value(v, ret, &s, r == STEP_DONE, err);
	ret->text = (struct slice){ w->data + w->at, s.i };
	window_pass(w, s.i);
	return VALUES_ONE;
}

int values_skip(struct values *v, struct err *err)
{
	int more = to_value(v, err);
	if (more <= 0)
		return more;
	struct scan s = { 0 };
	int r = pass_value(v, &s, err);
	if (r < 0 || r == STEP_DONE)
		return r < 0 ? -1 : 1;
	return err_set(err, ERR_REJECT, 0, "line %llu: %s", (unsigned long long)v->window->line,
		r == STEP_BAD ? s.reason : "it ends in the middle of a value");
}
