/* format_cvat.c - CVAT's manifest.jsonl: {"version"}, {"type"}, then an image a line; or {"type":"video"}, its
 * {"properties"}, and key frames, which are no items of their own. The name goes without the extension. The checksum is
 * of the decoded picture, not of the file: it is metadata. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/manifest/objects.h"

#include <stdlib.h>

struct cvat {
	struct buf header;    /* the two lines that go before the rows */
	struct buf version;   /* the first of them */
	bool video;
};

/* A line of the header, into m->dom. */
static const struct node *header_line(struct manifest *m, const char *member, struct err *err)
{
	struct cvat *c = m->state;
	struct dom_error e;
	int got = values_next(&m->values, &m->value, err);
	if (got < 0)
		return NULL;
	const struct node *n = got == VALUES_ONE && dom_parse(&m->dom, m->value.text, &e) == 0 ?
		node_get_kind(&m->dom, dom_root(&m->dom), member, NODE_STRING) : NULL;
	if (!n) {
		(void)err_set(err, ERR_REJECT, 0, "a CVAT manifest begins with {\"version\":\"1.1\"} and {\"type\":\"images\"}");
		return NULL;
	}
	if (c->header.len == 0) {
		buf_add(&c->version, m->value.text.p, m->value.text.len);
		json_one_line(&c->version, 0);
	}
	buf_add(&c->header, m->value.text.p, m->value.text.len);
	buf_char(&c->header, '\n');
	return n;
}

static int cvat_open(struct manifest *m, struct err *err)
{
	struct cvat *c = m->state = mem_zero(1, sizeof(*c));
	values_init(&m->values, &m->window, VALUES_LINES, m->o.record_max);
	if (!header_line(m, "version", err))
		return -1;
	const struct node *type = header_line(m, "type", err);
	if (!type)
		return -1;
	c->video = slice_eq(type->text, SLICE_LIT("video"));
	if (!c->video && !slice_eq(type->text, SLICE_LIT("images")))
		return err_set(err, ERR_REJECT, 0, "its type is neither images nor video");
	return 0;
}

static uint32_t pixels(const struct node *n)
{
	double v = node_number(n, 0);
	return v >= 1 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static int video_row(struct manifest *m, const struct node *root)
{
	struct draft *d = &m->draft;
	const struct node *properties = node_get_kind(&m->dom, root, "properties", NODE_OBJECT);
	if (!properties)
		return DRAFT_SKIP; /* a key frame */
	const struct node *name = node_get_kind(&m->dom, properties, "name", NODE_STRING);
	const struct node *resolution = node_get_kind(&m->dom, properties, "resolution", NODE_ARRAY);
	if (!name)
		return draft_fail(d, d->row.at, NULL, "the video has no name");
	if (draft_content(d, node_string(name, &d->arena), INPUT_FILE_PATH, node_place(m, name)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	const struct node *width = resolution ? node_first(&m->dom, resolution) : NULL;
	const struct node *height = width ? node_next(&m->dom, resolution, width) : NULL;
	d->row.media = MEDIA_VIDEO;
	d->row.width = pixels(width);
	d->row.height = pixels(height);
	d->row.metadata = properties->text;
	return draft_finish(d);
}

/* What the manifest says of the image's name and size, as written. */
static struct slice image_attributes(struct manifest *m, const struct node *root)
{
	static const char *const names[] = { "name", "extension", "width", "height" };
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	json_open(&j, NULL, '{');
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		node_write(node_get(&m->dom, root, names[i]), &j);
	json_close(&j, '}');
	return draft_take(d);
}

static int image_row(struct manifest *m, const struct node *root)
{
	static const char *const known[] = { "name", "extension", "width", "height", NULL };
	struct draft *d = &m->draft;
	const struct node *name = node_get_kind(&m->dom, root, "name", NODE_STRING);
	const struct node *extension = node_get_kind(&m->dom, root, "extension", NODE_STRING);
	if (!name)
		return draft_fail(d, d->row.at, NULL, "the row has no name");
	struct slice stem = node_string(name, &d->arena);
	struct slice suffix = extension ? node_string(extension, &d->arena) : (struct slice){ 0 };
	struct slice path = arena_printf(&d->arena, "%.*s%.*s", (int)stem.len, stem.p, (int)suffix.len,
		suffix.len ? suffix.p : "");
	if (draft_content(d, path, INPUT_FILE_PATH, node_place(m, name)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	d->row.media = MEDIA_IMAGE;
	d->row.width = pixels(node_get(&m->dom, root, "width"));
	d->row.height = pixels(node_get(&m->dom, root, "height"));
	struct slice members = other_members(m, root, known);
	if (members.len)
		d->row.metadata = arena_printf(&d->arena, "{%.*s}", (int)members.len, members.p);
	d->row.attributes = image_attributes(m, root);
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	const struct cvat *c = m->state;
	return objects_next(m, c->video ? video_row : image_row, err);
}

static int header(const struct manifest *m, struct slice *ret)
{
	const struct cvat *c = m->state;
	if (c->video)
		return -1;
	*ret = buf_slice(&c->header);
	return 0;
}

static struct slice attributes(const struct manifest *m)
{
	const struct cvat *c = m->state;
	return c->video ? (struct slice){ 0 } : buf_slice(&c->version);
}

static void describe(const struct manifest *m, struct buf *to)
{
	const struct cvat *c = m->state;
	buf_str(to, c->video ? ", video" : ", images");
}

static void cvat_close(struct manifest *m)
{
	struct cvat *c = m->state;
	buf_done(&c->header);
	buf_done(&c->version);
	free(c);
}

const struct format manifest_cvat = { .title = "CVAT manifest", .open = cvat_open, .next = next,
	.describe = describe, .header = header, .attributes = attributes, .values = objects_values, .close = cvat_close };
