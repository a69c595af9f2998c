/* yaml.c - builds the bounded tree from libyaml's events, refusing what a configuration never needs. */
#include "config/yaml.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <yaml.h>

#define YAML_BYTES_MAX (1U << 20)
#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 65536

struct builder {
	yaml_parser_t parser;
	const char *name;
	struct slice text;
	size_t nodes;
	size_t depth;
};

static int refuse(const struct builder *b, const yaml_mark_t *at, struct err *err, const char *why)
{
	return err_set(err, ERR_REJECT, 0, "%s:%zu:%zu: %s", b->name, at->line + 1, at->column + 1, why);
}

/* libyaml reports a bad byte by its offset, everything else by a mark. */
static int refuse_syntax(const struct builder *b, struct err *err)
{
	const yaml_parser_t *p = &b->parser;
	yaml_mark_t at = p->problem_mark;
	if (p->error == YAML_READER_ERROR) {
		at = (yaml_mark_t){ .index = p->problem_offset };
		for (size_t i = 0; i < p->problem_offset && i < b->text.len; i++) {
			at.column = b->text.p[i] == '\n' ? 0 : at.column + 1;
			at.line += b->text.p[i] == '\n';
		}
	}
	const char *problem = p->problem ? p->problem : "cannot be parsed";
	if (p->context)
		return err_set(err, ERR_REJECT, 0, "%s:%zu:%zu: YAML: %s, %s", b->name, at.line + 1, at.column + 1,
			p->context, problem);
	return err_set(err, ERR_REJECT, 0, "%s:%zu:%zu: YAML: %s", b->name, at.line + 1, at.column + 1, problem);
}

static int next_event(struct builder *b, yaml_event_t *ret, struct err *err)
{
	return yaml_parser_parse(&b->parser, ret) ? 0 : refuse_syntax(b, err);
}

static struct yaml_node *node_new(enum yaml_kind kind, const yaml_mark_t *at)
{
	struct yaml_node *n = mem_zero(1, sizeof(*n));
	n->kind = kind;
	n->line = at->line + 1;
	n->column = at->column + 1;
	return n;
}

/* Room for one more key and value: both grow by doubling, at every power of two. */
static void node_grow(struct yaml_node *n)
{
	if (n->count != 0 && (n->count < 4 || (n->count & (n->count - 1)) != 0))
		return;
	size_t cap = n->count < 4 ? 4 : 2 * n->count;
	n->values = mem_resize(n->values, cap, sizeof(*n->values));
	if (n->kind == YAML_MAP)
		n->keys = mem_resize(n->keys, cap, sizeof(*n->keys));
}

static int build(struct builder *b, const yaml_event_t *e, struct yaml_node **ret, struct err *err);

static int build_scalar(struct builder *b, const yaml_event_t *e, struct yaml_node **ret, struct err *err)
{
	const char *text = (const char *)e->data.scalar.value;
	if (strlen(text) != e->data.scalar.length)
		return refuse(b, &e->start_mark, err, "a NUL character cannot be part of a value");
	*ret = node_new(YAML_SCALAR, &e->start_mark);
	(*ret)->text = mem_strdup(text);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;
	int c = strcmp((*x)->text, (*y)->text);
	return c ? c : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

static int check_duplicates(const struct builder *b, const struct yaml_node *map, struct err *err)
{
	if (map->count < 2)
		return 0;
	CLEANUP(freep) struct yaml_node **sorted = mem_dup(map->keys, map->count * sizeof(struct yaml_node *));
	qsort(sorted, map->count, sizeof(struct yaml_node *), by_text);
	for (size_t i = 1; i < map->count; i++)
		if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
			return err_set(err, ERR_REJECT, 0,
				"%s:%zu:%zu: the key '%s' was given before, in line %zu; keep one", b->name,
				sorted[i]->line, sorted[i]->column, sorted[i]->text, sorted[i - 1]->line);
	return 0;
}

/* Fills a map or list up to its end event. Each entry is counted only when whole, so that a half-built node can be
 * freed. */
static int fill(struct builder *b, struct yaml_node *into, yaml_event_type_t end, struct err *err)
{
	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t e = { 0 };
		if (next_event(b, &e, err) < 0)
			return -1;
		if (e.type == end)
			return into->kind == YAML_MAP ? check_duplicates(b, into, err) : 0;
		if (into->kind == YAML_LIST) {
			node_grow(into);
			if (build(b, &e, &into->values[into->count], err) < 0)
				return -1;
			into->count++;
			continue;
		}
		if (e.type != YAML_SCALAR_EVENT)
			return refuse(b, &e.start_mark, err, "a key must be plain text");
		CLEANUP(yaml_event_delete) yaml_event_t value = { 0 };
		CLEANUP(yaml_node_freep) struct yaml_node *key = NULL;
		if (build(b, &e, &key, err) < 0 || next_event(b, &value, err) < 0)
			return -1;
		node_grow(into);
		if (build(b, &value, &into->values[into->count], err) < 0)
			return -1;
		into->keys[into->count++] = TAKE_PTR(key);
	}
}

static int build_collection(struct builder *b, const yaml_event_t *e, enum yaml_kind kind, struct yaml_node **ret,
	struct err *err)
{
	if (b->depth == YAML_DEPTH_MAX)
		return refuse(b, &e->start_mark, err, "nested too deep");
	CLEANUP(yaml_node_freep) struct yaml_node *n = node_new(kind, &e->start_mark);
	b->depth++;
	if (fill(b, n, kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, err) < 0)
		return -1;
	b->depth--;
	*ret = TAKE_PTR(n);
	return 0;
}

static int build(struct builder *b, const yaml_event_t *e, struct yaml_node **ret, struct err *err)
{
	if (++b->nodes > YAML_NODES_MAX)
		return refuse(b, &e->start_mark, err, "too many values in one file");
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		if (e->data.scalar.anchor || e->data.scalar.tag)
			break;
		return build_scalar(b, e, ret, err);
	case YAML_MAPPING_START_EVENT:
		if (e->data.mapping_start.anchor || e->data.mapping_start.tag)
			break;
		return build_collection(b, e, YAML_MAP, ret, err);
	case YAML_SEQUENCE_START_EVENT:
		if (e->data.sequence_start.anchor || e->data.sequence_start.tag)
			break;
		return build_collection(b, e, YAML_LIST, ret, err);
	default:
		break;
	}
	return refuse(b, &e->start_mark, err,
		"anchors (&), aliases (*) and tags (!) are not supported here; quote the text if it is a "
		"value, or write it out");
}

/* STREAM-START DOCUMENT-START node DOCUMENT-END STREAM-END, and nothing else. */
static int build_document(struct builder *b, struct yaml_node **ret, struct err *err)
{
	CLEANUP(yaml_event_delete) yaml_event_t stream = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t document = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t first = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t end = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t after = { 0 };
	CLEANUP(yaml_node_freep) struct yaml_node *root = NULL;
	if (next_event(b, &stream, err) < 0 || next_event(b, &document, err) < 0)
		return -1;
	if (document.type == YAML_STREAM_END_EVENT)
		return refuse(b, &document.start_mark, err, "the file is empty");
	if (next_event(b, &first, err) < 0 || build(b, &first, &root, err) < 0 || next_event(b, &end, err) < 0 ||
		next_event(b, &after, err) < 0)
		return -1;
	if (after.type != YAML_STREAM_END_EVENT)
		return refuse(b, &after.start_mark, err, "a second document begins here; keep one");
	*ret = TAKE_PTR(root);
	return 0;
}

/* Editors of other systems begin a file with a byte order mark. libyaml counts it as a column, so that no second key stands below the
 * first. */
static struct slice without_mark(struct slice text)
{
	bool marked = text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
	return marked ? (struct slice){ text.p + 3, text.len - 3 } : text;
}

int yaml_parse(const char *name, struct slice text, struct yaml_node **ret, struct err *err)
{
	if (text.len > YAML_BYTES_MAX)
		return err_set(err, ERR_REJECT, 0, "%s: larger than %u bytes", name, YAML_BYTES_MAX);
	struct builder b = { .name = name, .text = without_mark(text) };
	if (!yaml_parser_initialize(&b.parser))
		abort(); /* out of memory, as in mem.c */
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)(b.text.p ? b.text.p : ""), b.text.len);
	int result = build_document(&b, ret, err);
	yaml_parser_delete(&b.parser);
	return result;
}

int yaml_load(const char *path, struct yaml_node **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	if (file_slurp(AT_FDCWD, path, YAML_BYTES_MAX, &text, err) < 0)
		return -1;
	return yaml_parse(path, buf_slice(&text), ret, err);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->count; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->values[i];
	return NULL;
}

void yaml_node_free(struct yaml_node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++) {
		if (n->keys)
			yaml_node_free(n->keys[i]);
		yaml_node_free(n->values[i]);
	}
	free(n->keys);
	free(n->values);
	free(n->text);
	free(n);
}
