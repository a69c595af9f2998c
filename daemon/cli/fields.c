/* fields.c - reads members of answers. */
#include "daemon/cli/fields.h"

#include "daemon/base/text.h"
#include "daemon/cli/out.h"

#include <stdio.h>

struct slice field(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? (struct slice){ json_string_value(value), json_string_length(value) }
				     : (struct slice){ "", 0 };
}

uint64_t field_u64(const json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));
	return n > 0 ? (uint64_t)n : 0;
}

static struct slice coded(const json_t *object, const char *name)
{
	char base64[64];
	(void)snprintf(base64, sizeof(base64), "%s_base64", name);
	return field(object, base64);
}

bool field_has(const json_t *object, const char *name)
{
	return field(object, name).len > 0 || coded(object, name).len > 0;
}

void field_bytes(const json_t *object, const char *name, struct buf *to)
{
	struct slice base64 = coded(object, name);
	if (base64.len == 0 || text_unbase64(to, base64) < 0) {
		struct slice plain = field(object, name);
		buf_add(to, plain.p, plain.len);
	}
}

void field_printable(const json_t *object, const char *name, struct buf *to)
{
	struct buf bytes = { 0 };
	field_bytes(object, name, &bytes);
	out_plain(to, buf_slice(&bytes));
	buf_done(&bytes);
}
