/* export_cvat.c - CVAT's manifest.jsonl of images: two lines of header, then a line an image. It lists pictures and carries no
 * labels: those are left out and counted, and so is what is no picture. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/export/entry.h"

#include <stdlib.h>

struct cvat {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	char *version;       /* owned: the first line of the first manifest; NULL: there was none */
};

static void *cvat_open(const struct export_options *o, struct export_left *left)
{
	struct cvat *c = mem_zero(1, sizeof(*c));
	c->options = o;
	c->left = left;
	return c;
}

static void cvat_close(void *state)
{
	struct cvat *c = state;
	entry_done(&c->entry);
	free(c->version);
	free(c);
}

static void cvat_import(void *state, const struct import *i)
{
	struct cvat *c = state;
	if (!c->version && slice_eq(i->format, SLICE_LIT("cvat")) && i->attributes.len)
		c->version = mem_strndup(i->attributes.p, i->attributes.len);
}

static void cvat_begin(void *state, struct buf *to)
{
	const struct cvat *c = state;
	buf_str(to, c->version ? c->version : "{\"version\":\"1.1\"}");
	buf_str(to, "\n{\"type\":\"images\"}\n");
}

/* "dir/img1" and ".jpg": the last dot of the last part of the path, where it does not begin it. */
static void put_name(struct slice path, struct json *j)
{
	size_t dot = path.len;
	for (size_t i = path.len; i > 1 && path.p[i - 1] != '/'; i--) {
		if (path.p[i - 1] != '.' || path.p[i - 2] == '/')
			continue;
		dot = i - 1;
		break;
	}
	json_str(j, "name", (struct slice){ path.p, dot });
	json_str(j, "extension", (struct slice){ path.p + dot, path.len - dot });
}

static int cvat_add(void *state, const struct item_full *full, struct buf *to, struct err *err)
{
	struct cvat *c = state;
	const struct entry *e = &c->entry;
	struct json j = { .to = to };
	if (entry_read(&c->entry, c->options, full, err) < 0)
		return -1;
	const bool own = node_get(&e->said_dom, e->said, "name") && node_get(&e->said_dom, e->said, "extension");
	const bool picture = own || (e->at && e->at != ROW_TEXT && full->item.width && full->item.height);
	c->left->items += !picture;
	c->left->labels += full->annotation_count;
	if (!picture)
		return 0;
	json_open(&j, NULL, '{');
	if (own) {
		members_write(&e->said_dom, e->said, &j);
		members_raw(e->metadata, &j);
	} else {
		put_name(e->where, &j);
		json_u64(&j, "width", full->item.width);
		json_u64(&j, "height", full->item.height);
		json_open(&j, "meta", '{');
		json_close(&j, '}');
	}
	json_close(&j, '}');
	buf_char(to, '\n');
	return 0;
}

const struct format_ops format_cvat = { .type = "application/jsonl", .file_name = "manifest.jsonl", .list = true, .open = cvat_open,
	.import = cvat_import, .begin = cvat_begin, .add = cvat_add, .close = cvat_close };
