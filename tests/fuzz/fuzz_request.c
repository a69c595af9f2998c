/* fuzz_request.c - any bytes as a request: "PATH\0If-None-Match\0body". Nothing may crash, and what is taken is in
 * range. */
#include "daemon/api/request.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next NUL-terminated part, as a string of its own. */
static char *part(const uint8_t **data, size_t *size)
{
	size_t n = strnlen((const char *)*data, *size);
	char *text = mem_strndup((const char *)*data, n);
	n += n < *size;
	*data += n;
	*size -= n;
	return text;
}

static void read_members(const struct request *r)
{
	static const char *const known[] = { "concept", "all", "timeout_ms", NULL };
	struct err err;
	struct slice text = { 0 };
	bool flag = false;
	uint64_t n = 1;
	(void)request_check(r, known, &err);
	(void)body_str(r, "concept", &text, &err);
	(void)body_bool(r, "all", &flag, &err);
	(void)body_u64(r, "timeout_ms", 1, 1000, &n, &err);
	if (n < 1 || n > 1000)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > REQUEST_BODY_MAX)
		return 0;
	CLEANUP(freep) char *path = part(&data, &size);
	CLEANUP(freep) char *tags = size ? part(&data, &size) : mem_strdup("");
	struct request r = { 0 };
	struct err err;
	if (path_match("/api/v1/items/#/accept", path, &r.item) && r.item == 0)
		abort();
	(void)etag_match(tags, "\"abc\"");
	if (body_parse((struct slice){ (const char *)data, size }, &r.body, &err) == 0)
		read_members(&r);
	body_free(r.body);
	return 0;
}
