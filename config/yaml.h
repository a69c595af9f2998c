/* yaml.h - a bounded YAML tree with line and column of every node, read by libyaml events. Aliases, tags and several
 * documents are refused; depth, size and node count are limited. */
#ifndef INLET_CONFIG_YAML_H
#define INLET_CONFIG_YAML_H

#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stddef.h>

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };
struct yaml_node {
	enum yaml_kind kind;
	size_t line, column;         /* from 1 */
	char *text;                  /* scalar, without NUL inside; "" for an empty value */
	struct yaml_node **keys;     /* map: scalar nodes, in file order, no duplicates */
	struct yaml_node **values;   /* map and list */
	size_t count;
};
/* ERR_REJECT: "FILE:LINE:COLUMN: reason". ERR_RETRY: the file cannot be read. The caller owns *ret. */
int yaml_load(const char *path, struct yaml_node **ret, struct err *err);
int yaml_parse(const char *name, struct slice text, struct yaml_node **ret, struct err *err); /* name: for messages */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL: not a map, or not in it */
/* NULL allowed. (libyaml itself exports a yaml_free: a function of that name here would take its place.) */
void yaml_node_free(struct yaml_node *n);
CLEANUP_FN(struct yaml_node *, yaml_node_free)

#endif
