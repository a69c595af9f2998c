/* node.c - questions to the nodes of a JSON tree. */
#include "daemon/manifest/dom.h"

#include "daemon/base/utf8.h"

#include <math.h>
#include <stdlib.h>

const struct node *node_first(const struct dom *t, const struct node *parent)
{
	size_t at = (size_t)(parent - t->nodes);
	return parent->after > at + 1 ? parent + 1 : NULL;
}

const struct node *node_next(const struct dom *t, const struct node *parent, const struct node *n)
{
	return n->after < parent->after ? &t->nodes[n->after] : NULL;
}

/* Decodes what was found right when it was parsed. */
static struct slice decoded(struct slice s, struct arena *a)
{
	char *begin = arena_alloc(a, s.len + 1);
	char *to = begin;
	for (const char *p = s.p, *end = s.p + s.len; p < end;) {
		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		static const char names[] = "\"\\/bfnrt";
		static const char chars[] = "\"\\/\b\f\n\r\t";
		if (p[1] != 'u') {
			*to++ = chars[strchr(names, p[1]) - names];
			p += 2;
			continue;
		}
		char hex[5] = { p[2], p[3], p[4], p[5] };
		uint32_t c = (uint32_t)strtoul(hex, NULL, 16);
		p += 6;
		if (c >= 0xd800 && c <= 0xdbff) {
			memcpy(hex, p + 2, 4);
			c = 0x10000 + ((c & 0x3ff) << 10) + ((uint32_t)strtoul(hex, NULL, 16) & 0x3ff);
			p += 6;
		}
		to = utf8_put(to, c);
	}
	*to = '\0';
	return (struct slice){ begin, (size_t)(to - begin) };
}

struct slice node_string(const struct node *n, struct arena *a)
{
	return n->escaped ? decoded(n->text, a) : n->text;
}

struct slice node_name(const struct node *n, struct arena *a)
{
	return n->name_escaped ? decoded(n->name, a) : n->name;
}

struct slice node_scalar(const struct node *n, struct arena *a)
{
	if (!n || n->kind == NODE_NULL || n->kind >= NODE_ARRAY)
		return (struct slice){ 0 };
	return n->kind == NODE_STRING ? node_string(n, a) : n->text;
}

bool node_name_is(const struct node *n, const char *name)
{
	if (!n->name_escaped)
		return slice_eq(n->name, slice_of(name));
	struct arena a = { 0 };
	bool same = slice_eq(decoded(n->name, &a), slice_of(name));
	arena_done(&a);
	return same;
}

const struct node *node_get(const struct dom *t, const struct node *parent, const char *name)
{
	if (!parent || parent->kind != NODE_OBJECT)
		return NULL;
	for (const struct node *n = node_first(t, parent); n; n = node_next(t, parent, n))
		if (node_name_is(n, name))
			return n;
	return NULL;
}

const struct node *node_get_kind(const struct dom *t, const struct node *parent, const char *name, enum node_kind kind)
{
	const struct node *n = node_get(t, parent, name);
	return n && n->kind == kind ? n : NULL;
}

double node_number(const struct node *n, double otherwise)
{
	char text[64];
	if (!n || (n->kind != NODE_NUMBER && n->kind != NODE_STRING) || n->text.len >= sizeof(text) ||
		!is_json_number(n->text))
		return otherwise;
	memcpy(text, n->text.p, n->text.len);
	text[n->text.len] = '\0';
	double d = strtod(text, NULL);
	return isfinite(d) ? d : otherwise;
}

struct slice node_json(const struct node *n)
{
	if (n->kind == NODE_STRING)
		return (struct slice){ n->text.p - 1, n->text.len + 2 };
	return n->text;
}

void node_write(const struct node *n, struct json *j)
{
	if (!n)
		return;
	if (n->name.p) { /* as it was written, escapes and all */
		if (j->comma)
			buf_char(j->to, ',');
		buf_add(j->to, n->name.p - 1, n->name.len + 2);
		buf_char(j->to, ':');
		j->comma = false;
	}
	json_raw(j, NULL, node_json(n));
}
