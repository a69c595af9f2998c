/* fuzz_dom.c - any bytes as JSON and as a Python literal: what is accepted is accepted by jansson too, and what a literal
 * becomes is JSON. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/manifest/literal.h"

#include <assert.h>
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct dom *dom, const struct node *n, struct arena *a)
{
	assert(text_is_utf8(node_scalar(n, a)));
	if (n->kind != NODE_ARRAY && n->kind != NODE_OBJECT)
		return;
	for (const struct node *e = node_first(dom, n); e; e = node_next(dom, n, e)) {
		if (n->kind == NODE_OBJECT)
			assert(text_is_utf8(node_name(e, a)));
		walk(dom, e, a);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct dom dom = { 0 };
	struct dom_error e = { 0 };
	struct arena a = { 0 };
	CLEANUP(buf_done) struct buf json = { 0 };
	if (!text_is_utf8(text))
		return 0;
	if (dom_parse(&dom, text, &e) == 0) {
		walk(&dom, dom_root(&dom), &a);
		json_error_t why;
		/* as the store reads it (daemon/model/reader.c) */
		json_t *theirs = json_loadb(text.p, text.len,
			JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
		assert(theirs);
		json_decref(theirs);
	} else {
		assert(e.reason && e.at <= size);
	}
	const char *reason;
	if (literal_json(text, &dom, &json, &reason) == 0)
		assert(dom_parse(&dom, buf_slice(&json), &e) == 0);
	dom_done(&dom);
	arena_done(&a);
	return 0;
}
