/* export_jsonl.c - the dataset as JSON lines, in the form of `inlet items --json`. */
#include "daemon/export/format.h"

static void *jsonl_open(const struct export_options *o, struct export_left *left)
{
	(void)o;
	(void)left;
	return NULL;
}

static int jsonl_add(void *state, const struct item_full *entry, struct buf *to, struct err *err)
{
	(void)state;
	(void)err;
	item_json(entry, to);
	buf_char(to, '\n');
	return 0;
}

static void jsonl_close(void *state)
{
	(void)state;
}

const struct format_ops format_jsonl = { .type = "application/jsonl", .file_name = "items.jsonl",
	.open = jsonl_open, .add = jsonl_add, .close = jsonl_close };
