/* format_openai.c - OpenAI-style batches: {"custom_id","method","url","body":{…}} a line. The item is what the last message
 * of the user, the prompt or the input says; a picture that it names by URL goes before its text. The request around it
 * is metadata. A batch's output has no input: its rows fail. */
#include "daemon/manifest/formats.h"

#include "daemon/manifest/mapped.h"
#include "daemon/manifest/objects.h"

/* "text", or [{"type":"text","text":…},{"type":"image_url","image_url":{"url":…}}]: the picture, else the first text. */
static const struct node *part_of(struct manifest *m, const struct node *content)
{
	const struct node *text = NULL;
	if (!content || content->kind == NODE_STRING)
		return content;
	for (const struct node *n = content->kind == NODE_ARRAY ? node_first(&m->dom, content) : NULL; n;
		n = node_next(&m->dom, content, n)) {
		const struct node *image = node_get(&m->dom, n, "image_url");
		const struct node *url = image && image->kind == NODE_OBJECT ? node_get(&m->dom, image, "url") : image;
		if (url && url->kind == NODE_STRING)
			return url;
		const struct node *own = n->kind == NODE_STRING ? n : node_get_kind(&m->dom, n, "text", NODE_STRING);
		text = text ? text : own;
	}
	return text;
}

static const struct node *content_of(struct manifest *m, const struct node *body)
{
	const struct node *messages = node_get_kind(&m->dom, body, "messages", NODE_ARRAY);
	const struct node *last = NULL;
	for (const struct node *n = messages ? node_first(&m->dom, messages) : NULL; n; n = node_next(&m->dom, messages, n)) {
		const struct node *role = node_get(&m->dom, n, "role");
		if (role && slice_eq(role->text, SLICE_LIT("user")))
			last = node_get(&m->dom, n, "content");
	}
	if (!last)
		last = node_get(&m->dom, body, "input");
	return part_of(m, last ? last : node_get(&m->dom, body, "prompt"));
}

static int batch_row(struct manifest *m, const struct node *root)
{
	static const char *const known[] = { "custom_id", NULL };
	struct draft *d = &m->draft;
	const struct node *body = node_get_kind(&m->dom, root, "body", NODE_OBJECT);
	draft_id(d, node_scalar(node_get(&m->dom, root, "custom_id"), &d->arena));
	if (!body)
		return draft_fail(d, d->row.at, "import the batch's input", "%s", node_get(&m->dom, root, "response") ?
			"this is an answer of a batch, which does not say what was asked" : "the row has no body");
	const struct node *content = content_of(m, body);
	if (!content || content->kind != NODE_STRING)
		return draft_fail(d, node_place(m, body), NULL, "the request has no text and no picture");
	struct slice value = node_string(content, &d->arena);
	bool picture = content->name.p && slice_eq(content->name, SLICE_LIT("url"));
	if (draft_content(d, value, picture ? INPUT_URL : INPUT_RAW, node_place(m, content)) == DRAFT_FAILED)
		return DRAFT_FAILED;
	if (picture)
		d->row.media = MEDIA_IMAGE;
	struct slice members = other_members(m, root, known);
	d->row.metadata = join_members(d, (struct slice){ 0 }, members);
	return draft_finish(d);
}

static int next(struct manifest *m, struct err *err)
{
	return objects_next(m, batch_row, err);
}

const struct format manifest_openai = { .title = "OpenAI batch", .open = objects_open, .next = next,
	.describe = objects_describe, .values = objects_values };
