/* fuzz_yaml.c - any bytes as a configuration: the tree, then the option table, then its release. */
#include "config/option.h"
#include "config/yaml.h"

#include <stdbool.h>

struct fields {
	bool flag;
	uint32_t count;
	uint64_t size, age;
	float share;
	char *text, *path;
	int choice;
	char **list;
	const struct yaml_node *node;
};
static const char *const choices[] = { "copy", "reflink", NULL };
#define AT(member) offsetof(struct fields, member)
static const struct option table[] = {
	{ "flag", OPTION_BOOL, AT(flag), 0, 0, "on", NULL, "" },
	{ "count", OPTION_U32, AT(count), 1, 128, "32", NULL, "" },
	{ "size", OPTION_BYTES, AT(size), 0, 0, "1MiB", NULL, "" },
	{ "age", OPTION_DURATION, AT(age), 0, 0, "2s", NULL, "" },
	{ "share", OPTION_FLOAT, AT(share), 0, 1, "", NULL, "" },
	{ "text", OPTION_STRING, AT(text), 0, 0, "", NULL, "" },
	{ "path", OPTION_PATH, AT(path), 0, 0, "", NULL, "" },
	{ "choice", OPTION_ENUM, AT(choice), 0, 0, "copy", choices, "" },
	{ "list", OPTION_STRINGS, AT(list), 0, 0, "", NULL, "" },
	{ "node", OPTION_NODE, AT(node), 0, 0, "", NULL, "" },
	{ 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_node *n = NULL;
	struct err err = { 0 };
	if (yaml_parse("fuzz", (struct slice){ (const char *)data, size }, &n, &err) < 0)
		return 0;
	const struct option_place at = { .file = "fuzz", .dir = "/etc/inlet", .prefix = "" };
	struct fields f = { 0 };
	(void)option_read(table, n, &at, &f, &err);
	option_free(table, &f);
	yaml_node_free(n);
	return 0;
}
