/* dom.h - one JSON value as a tree over its own text: numbers and nested values keep the text they came with, which is
 * how geometry travels without losing a bit. Strict RFC 8259, and what it leaves open is refused, for not all who read it
 * later would see the same: names that stand twice in one object or have a NUL in them, numbers that no double can tell.
 * One thread at a time.
 *
 * Nodes lie in the order of the text, a container before what is in it. */
#ifndef INLET_MANIFEST_DOM_H
#define INLET_MANIFEST_DOM_H

#include "daemon/base/json.h"
#include "daemon/manifest/arena.h"

#include <stdint.h>

#define DOM_DEPTH_MAX 64U
#define DOM_NODES_MAX (1U << 20)
/* A list that begins with more numbers than this is one node, seen through its text: masks and point clouds. */
#define DOM_NUMBERS_MAX 4096U

enum node_kind { NODE_NULL, NODE_FALSE, NODE_TRUE, NODE_NUMBER, NODE_STRING, NODE_ARRAY, NODE_OBJECT };

struct node {
	enum node_kind kind;
	bool escaped, name_escaped;
	uint32_t count;          /* of elements or members */
	uint32_t after;          /* index of the node behind all that is in this one */
	struct slice name;       /* of a member, as written between its quotes */
	struct slice text;       /* as written; of a string what is between the quotes */
};

struct dom {
	struct node *nodes;
	size_t count, room;
};

struct dom_error {
	size_t at;               /* byte of the text */
	const char *reason;      /* a sentence */
};

/* text is one value, blanks around it. What points into it is valid as long as it is. -1: *ret_error says why. */
int dom_parse(struct dom *t, struct slice text, struct dom_error *ret_error);
void dom_done(struct dom *t);

static inline const struct node *dom_root(const struct dom *t)
{
	return t->nodes;
}
/* for (const struct node *n = node_first(t, parent); n; n = node_next(t, parent, n)) */
const struct node *node_first(const struct dom *t, const struct node *parent);
const struct node *node_next(const struct dom *t, const struct node *parent, const struct node *n);
/* The member; NULL where there is none or parent (NULL allowed) is no object. */
const struct node *node_get(const struct dom *t, const struct node *parent, const char *name);
/* The same, NULL also where it is of another kind. */
const struct node *node_get_kind(const struct dom *t, const struct node *parent, const char *name, enum node_kind kind);
/* The string's or name's characters; copies to the arena only what has escapes in it. */
struct slice node_string(const struct node *n, struct arena *a);
struct slice node_name(const struct node *n, struct arena *a);
/* A string's characters, a number's or word's text; empty for null, containers and NULL. */
struct slice node_scalar(const struct node *n, struct arena *a);
bool node_name_is(const struct node *n, const char *name);
double node_number(const struct node *n, double otherwise);   /* also a string that is a number */
/* The node's JSON text, strings with their quotes. */
struct slice node_json(const struct node *n);
/* Writes the node, under its own name where it is a member; NULL writes nothing. */
void node_write(const struct node *n, struct json *j);
/* Whether text is one JSON number. */
bool is_json_number(struct slice text);

#endif
