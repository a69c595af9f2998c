/* geometry.c - the parts that all geometries have. */
#include "daemon/manifest/geometry.h"

void geometry_begin(struct draft *d, struct json *j, const char *kind, const char *unit, struct slice width,
	struct slice height)
{
	d->text.len = 0;
	*j = (struct json){ .to = &d->text };
	json_open(j, NULL, '{');
	json_str(j, "kind", slice_of(kind));
	if (unit)
		json_str(j, "unit", slice_of(unit));
	if (!width.len || !height.len)
		return;
	json_open(j, "size", '[');
	json_raw(j, NULL, width);
	json_raw(j, NULL, height);
	json_close(j, ']');
}

struct slice geometry_end(struct draft *d, struct json *j)
{
	json_close(j, '}');
	return draft_take(d);
}

struct slice number_text(const struct node *n)
{
	bool number = n && (n->kind == NODE_NUMBER || (n->kind == NODE_STRING && is_json_number(n->text)));
	return number ? n->text : (struct slice){ 0 };
}

void geometry_box(struct json *j, const char *form, const struct slice n[4])
{
	json_str(j, "form", slice_of(form));
	json_open(j, "box", '[');
	for (size_t i = 0; i < 4; i++)
		json_raw(j, NULL, n[i]);
	json_close(j, ']');
}
