/* dom.c - the JSON parser, and walks over what it made. */
#include "daemon/manifest/dom.h"

#include "daemon/base/mem.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_PLAIN_MAX 300U /* digits of a number without exponent that is finite in any case */
#define PAIRWISE_MAX 24U      /* members of which each name is compared with each */

struct parser {
	struct dom *dom;
	const char *begin, *p, *end;
	const char *reason;   /* set where parsing failed, at p */
};

static bool fail(struct parser *x, const char *at, const char *reason)
{
	x->p = at;
	x->reason = reason;
	return false;
}

static void skip_blanks(struct parser *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t' || *x->p == '\n' || *x->p == '\r'))
		x->p++;
}

static struct node *node_add(struct parser *x, enum node_kind kind)
{
	struct dom *t = x->dom;
	if (t->count == DOM_NODES_MAX) {
		(void)fail(x, x->p, "there are too many values in one row");
		return NULL;
	}
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->nodes = mem_resize(t->nodes, t->room, sizeof(*t->nodes));
	}
	struct node *n = &t->nodes[t->count++];
	*n = (struct node){ .kind = kind, .text = { x->p, 0 }, .after = (uint32_t)t->count };
	return n;
}

static int hex4(const char *p, const char *end)
{
	int v = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/* The escape at x->p (its backslash): moves behind it. */
static bool parse_escape(struct parser *x)
{
	const char *p = x->p;
	char c = p + 1 < x->end ? p[1] : '\0';
	if (c != 'u') {
		if (c == '\0' || !strchr("\"\\/bfnrt", c))
			return fail(x, p, "there is an escape that JSON does not have");
		x->p = p + 2;
		return true;
	}
	int v = hex4(p + 2, x->end);
	if (v < 0)
		return fail(x, p, "\\u wants four hexadecimal digits");
	x->p = p + 6;
	if (v >= 0xdc00 && v <= 0xdfff)
		return fail(x, p, "\\u names half of a surrogate pair");
	if (v < 0xd800 || v > 0xdbff)
		return true;
	int low = x->end - x->p >= 6 && x->p[0] == '\\' && x->p[1] == 'u' ? hex4(x->p + 2, x->end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(x, p, "\\u names half of a surrogate pair");
	x->p += 6;
	return true;
}

/* x->p is at the opening quote; *ret is what is between the quotes. */
static bool parse_string(struct parser *x, struct slice *ret, bool *ret_escaped)
{
	const char *open = x->p++;
	*ret_escaped = false;
	while (x->p < x->end) {
		unsigned char c = (unsigned char)*x->p;
		if (c == '"') {
			*ret = (struct slice){ open + 1, (size_t)(x->p - open - 1) };
			x->p++;
			return true;
		}
		if (c < 0x20)
			return fail(x, x->p, c == '\n' || c == '\r' ? "a string is not closed" :
				"there is a control character in a string");
		if (c == '\\') {
			*ret_escaped = true;
			if (!parse_escape(x))
				return false;
		} else {
			x->p++;
		}
	}
	return fail(x, open, "a string is not closed");
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Behind the number at p, NULL: there is none. */
static const char *behind_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	const char *whole = p;
	p = digits(p, end);
	if (p == whole || (*whole == '0' && p - whole > 1))
		return NULL;
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		p = digits(p, end);
		if (p == fraction)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		const char *exponent = p;
		p = digits(p, end);
		if (p == exponent)
			return NULL;
	}
	return p;
}

bool is_json_number(struct slice text)
{
	return text.len > 0 && behind_number(text.p, text.p + text.len) == text.p + text.len;
}

static bool parse_word(struct parser *x)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} words[] = { { "null", NODE_NULL }, { "true", NODE_TRUE }, { "false", NODE_FALSE } };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);
		if ((size_t)(x->end - x->p) < len || memcmp(x->p, words[i].word, len) != 0)
			continue;
		struct node *n = node_add(x, words[i].kind);
		if (!n)
			return false;
		n->text.len = len;
		x->p += len;
		return true;
	}
	if (x->end - x->p >= 3 && memcmp(x->p, "NaN", 3) == 0)
		return fail(x, x->p, "NaN is not JSON");
	if (x->p < x->end && (*x->p == 'I' || (*x->p == '-' && x->end - x->p > 1 && x->p[1] == 'I')))
		return fail(x, x->p, "Infinity is not JSON");
	return fail(x, x->p, x->p == x->end ? "it ends in the middle of a value" : "a value is expected here");
}

/* Can it be told as a double? */
static bool is_finite(const char *p, size_t len)
{
	char small[64];
	if (len <= NUMBER_PLAIN_MAX && !memchr(p, 'e', len) && !memchr(p, 'E', len))
		return true;
	char *copy = len < sizeof(small) ? memcpy(small, p, len) : mem_strndup(p, len);
	if (copy == small)
		small[len] = '\0';
	bool finite = isfinite(strtod(copy, NULL));
	if (copy != small)
		free(copy);
	return finite;
}

static bool parse_scalar(struct parser *x)
{
	if (*x->p == '"') {
		struct node *n = node_add(x, NODE_STRING);
		return n && parse_string(x, &n->text, &n->escaped);
	}
	const char *behind = behind_number(x->p, x->end);
	if (!behind)
		return parse_word(x);
	if (!is_finite(x->p, (size_t)(behind - x->p)))
		return fail(x, x->p, "the number is too large");
	struct node *n = node_add(x, NODE_NUMBER);
	if (!n)
		return false;
	n->text.len = (size_t)(behind - x->p);
	x->p = behind;
	return true;
}

/* Of a string that was found right. */
static bool has_nul(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i += s.p[i] == '\\' ? 2 : 1)
		if (s.p[i] == '\\' && s.p[i + 1] == 'u' && memcmp(s.p + i + 2, "0000", 4) == 0)
			return true;
	return false;
}

static bool parse_name(struct parser *x, struct slice *ret_name, bool *ret_escaped)
{
	skip_blanks(x);
	const char *open = x->p;
	if (x->p == x->end || *x->p != '"')
		return fail(x, x->p, "the name of a member is expected here, in double quotes");
	if (!parse_string(x, ret_name, ret_escaped))
		return false;
	if (*ret_escaped && has_nul(*ret_name))
		return fail(x, open, "there is a NUL in the name of a member");
	skip_blanks(x);
	if (x->p == x->end || *x->p != ':')
		return fail(x, x->p, "a colon is expected here");
	x->p++;
	return true;
}

/* ---- names ---- */

static size_t after(const struct dom *t, size_t i)
{
	return t->nodes[i].after;
}

struct named {
	struct slice name;
	size_t node;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	int order = x->name.len ? memcmp(x->name.p, y->name.p, x->name.len) : 0;
	return order ? order : x->node < y->node ? -1 : 1;
}

/* A second member of one name, 0: there is none. Of objects with many members, or with escapes in names. */
static size_t sorted_twice(const struct dom *t, size_t object, size_t end)
{
	struct arena a = { 0 };
	size_t n = 0, twice = 0;
	struct named *names = mem_zero(t->nodes[object].count, sizeof(*names));
	for (size_t i = object + 1; i < end; i = after(t, i))
		names[n++] = (struct named){ node_name(&t->nodes[i], &a), i };
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; i < n && !twice; i++)
		if (slice_eq(names[i - 1].name, names[i].name))
			twice = names[i].node;
	free(names);
	arena_done(&a);
	return twice;
}

/* The same; end: behind the last node of the object. */
static size_t named_twice(const struct dom *t, size_t object, size_t end, bool escaped)
{
	if (escaped || t->nodes[object].count > PAIRWISE_MAX)
		return sorted_twice(t, object, end);
	for (size_t i = object + 1; i < end; i = after(t, i))
		for (size_t k = object + 1; k < i; k = after(t, k))
			if (slice_eq(t->nodes[k].name, t->nodes[i].name))
				return i;
	return 0;
}

/* The object has ended at x->p. */
static bool names_differ(struct parser *x, size_t object, bool escaped)
{
	const struct dom *t = x->dom;
	size_t twice = t->nodes[object].count > 1 ? named_twice(t, object, t->count, escaped) : 0;
	return !twice || fail(x, t->nodes[twice].name.p - 1, "two members of one object have this name");
}

static bool parse_value(struct parser *x, unsigned int depth);

/* What is between the brackets; x->p is behind the opening one. */
static bool parse_inside(struct parser *x, size_t container, unsigned int depth)
{
	bool object = x->dom->nodes[container].kind == NODE_OBJECT;
	char close = object ? '}' : ']';
	bool numbers = !object;   /* so far */
	bool long_list = false;   /* seen through its text: its nodes go */
	bool any_escaped = false; /* name */
	skip_blanks(x);
	if (x->p < x->end && *x->p == close) {
		x->p++;
		return true;
	}
	for (;;) {
		struct slice name = { 0 };
		bool escaped = false;
		if (object && !parse_name(x, &name, &escaped))
			return false;
		any_escaped = any_escaped || escaped;
		size_t child = x->dom->count;
		if (!parse_value(x, depth + 1))
			return false;
		x->dom->nodes[child].name = name;
		x->dom->nodes[child].name_escaped = escaped;
		numbers = numbers && x->dom->nodes[child].kind == NODE_NUMBER;
		long_list = long_list || (numbers && x->dom->nodes[container].count == DOM_NUMBERS_MAX);
		x->dom->nodes[container].count++;
		if (long_list)
			x->dom->count = container + 1;
		skip_blanks(x);
		if (x->p == x->end)
			return fail(x, x->p, "it ends in the middle of a value");
		if (*x->p == close) {
			x->p++;
			return !object || names_differ(x, container, any_escaped);
		}
		if (*x->p != ',')
			return fail(x, x->p, object ? "a comma or } is expected here" : "a comma or ] is expected here");
		x->p++;
	}
}

static bool parse_value(struct parser *x, unsigned int depth)
{
	skip_blanks(x);
	if (x->p == x->end)
		return fail(x, x->p, "it ends in the middle of a value");
	if (*x->p != '{' && *x->p != '[')
		return parse_scalar(x);
	if (depth >= DOM_DEPTH_MAX)
		return fail(x, x->p, "values are nested too deeply");
	size_t container = x->dom->count;
	const char *open = x->p;
	if (!node_add(x, *open == '{' ? NODE_OBJECT : NODE_ARRAY))
		return false;
	x->p++;
	if (!parse_inside(x, container, depth))
		return false;
	struct node *n = &x->dom->nodes[container];
	n->after = (uint32_t)x->dom->count;
	n->text.len = (size_t)(x->p - open);
	return true;
}

int dom_parse(struct dom *t, struct slice text, struct dom_error *ret_error)
{
	struct parser x = { t, text.p, text.p, text.p + text.len, NULL };
	t->count = 0;
	bool ok = text.len > 0 && parse_value(&x, 0);
	if (ok) {
		skip_blanks(&x);
		if (x.p == x.end)
			return 0;
		(void)fail(&x, x.p, "something follows the end of the value");
	}
	ret_error->at = (size_t)(x.p - text.p);
	ret_error->reason = x.reason ? x.reason : "there is nothing";
	return -1;
}

void dom_done(struct dom *t)
{
	free(t->nodes);
	*t = (struct dom){ 0 };
}
