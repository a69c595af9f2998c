/* yaml.h - a bounded YAML tree with line and column of every node, read by libyaml events. Aliases, tags and several
 * documents are refused; depth, size and node count are limited. */
#ifndef INLET_CONFIG_YAML_H
#define INLET_CONFIG_YAML_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stddef.h>

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };
struct yaml_node {
	enum yaml_kind kind;
	size_t line, column;         /* from 1 */
	char *text;                  /* scalar */
	struct yaml_node **keys;     /* map: scalar nodes, in file order, no duplicates */
	struct yaml_node **values;   /* map and list */
	size_t count;
};
/* ERR_REJECT: "FILE:LINE:COLUMN: reason". ERR_RETRY: the file cannot be read. */
int yaml_load(const char *path, struct yaml_node **ret, struct err *err);
void yaml_free(struct yaml_node *n); /* NULL allowed */

#endif
