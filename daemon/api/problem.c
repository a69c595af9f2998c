/* problem.c - writes problem documents. */
#include "daemon/api/problem.h"

#include "daemon/base/json.h"
#include "daemon/base/text.h"

#include <microhttpd.h>

static void add_detail(struct json *j, const char *detail)
{
	struct slice text = slice_of(detail);
	struct buf clean = { 0 };
	if (!text_is_utf8(text)) { /* an err text that was cut in the middle of a character */
		text_printable(&clean, text);
		text = buf_slice(&clean);
	}
	json_str(j, "detail", text);
	buf_done(&clean);
}

void problem_json(unsigned status, const char *detail, struct buf *to)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	json_str(&j, "type", SLICE_LIT("about:blank"));
	json_str(&j, "title", slice_of(MHD_get_reason_phrase_for(status)));
	json_u64(&j, "status", status);
	add_detail(&j, detail);
	json_close(&j, '}');
	buf_char(to, '\n');
}

unsigned problem_status(const struct err *err, unsigned reject_status)
{
	switch (err->class) {
	case ERR_REJECT: return reject_status;
	case ERR_RETRY: return MHD_HTTP_SERVICE_UNAVAILABLE;
	case ERR_FATAL: break;
	}
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}
