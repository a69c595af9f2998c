/* record_line.c - members that lines of the log share. */
#include "daemon/model/record_line.h"

#include <assert.h>

static const char *const layouts[] = { [LAYOUT_TREE] = "tree", [LAYOUT_FLAT] = "flat" };

void line_put_number(struct json *j, const char *name, uint64_t n)
{
	assert(n > 0);
	json_u64(j, name, n);
}

uint64_t line_get_number(struct reader *r, const char *name)
{
	return reader_u64(r, name, 1, INT64_MAX);
}

void line_put_text(struct json *j, const char *name, struct slice s)
{
	if (s.len)
		json_bytes(j, name, s);
}

void line_put_object(struct json *j, const char *name, struct slice object)
{
	if (object.len == 0)
		return;
	json_raw(j, name, object);
	json_one_line(j->to, j->to->len - object.len);
}

void line_put_name(struct json *j, const char *member, const char *const *names, size_t count, unsigned int value)
{
	assert(value > 0 && value < count);
	json_str(j, member, slice_of(names[value]));
}

unsigned int line_get_name(struct reader *r, const char *member, const char *const *names, size_t count)
{
	struct slice name = reader_text(r, member);
	for (unsigned int i = 1; i < count; i++) {
		if (slice_eq(slice_of(names[i]), name))
			return i;
	}
	reader_fail(r, member, "has an unknown value");
	return 0;
}

void line_put_place(struct json *j, struct slice source, enum layout layout, struct slice key)
{
	json_bytes(j, "source", source);
	line_put_name(j, "layout", layouts, COUNT(layouts), layout);
	json_bytes(j, "key", key);
}

void line_get_place(struct reader *r, struct slice *source, enum layout *layout, struct slice *key)
{
	*source = reader_text(r, "source");
	*layout = (enum layout)line_get_name(r, "layout", layouts, COUNT(layouts));
	*key = reader_text(r, "key");
}
