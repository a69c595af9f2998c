/* routes_items.c - items: the list, one of them, its bytes, and what people decide about it. */
#include "daemon/api/routes.h"

#include "daemon/api/show.h"
#include "daemon/api/walk.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/model/signature.h"
#include "daemon/stages/bytes.h"
#include "daemon/stages/pipeline.h"

struct listing {
	struct walk walk;
	bool full;
	struct buf *to;      /* while a page is made */
	char *names;         /* owned: what the filter's slices point to */
};

static void listing_free(void *arg)
{
	struct listing *l = arg;
	free(l->names);
	free(l);
}

static int list_item(void *arg, struct view *v, const struct item_full *it, struct err *err)
{
	struct listing *l = arg;
	if (!l->full)
		item_json(it, l->to);
	else if (show_json(v, &it->item, l->to, err) < 0)
		return -1;
	buf_char(l->to, '\n');
	return 0;
}

static int listing_fill(void *arg, struct buf *to, struct err *err)
{
	struct listing *l = arg;
	l->to = to;
	return walk_page(&l->walk, list_item, l, err);
}

static int filter_states(const struct request *r, struct walk_filter *f, struct err *err)
{
	const char *choices[ITEM_STATES + STATUSES] = { NULL };
	int which = -1;
	for (int s = ITEM_COMMITTED; s < ITEM_STATES; s++)
		choices[s - 1] = item_state_name((enum item_state)s);
	if (query_choice(r, "state", choices, &which, err) < 0)
		return -1;
	f->state = (enum item_state)(which + 1);
	which = -1;
	memset(choices, 0, sizeof(choices));
	for (int s = STATUS_SUCCESS; s < STATUSES; s++)
		choices[s - 1] = status_name((enum annotation_status)s);
	if (query_choice(r, "status", choices, &which, err) < 0)
		return -1;
	f->status = (enum annotation_status)(which + 1);
	return 0;
}

static int listing_query(const struct request *r, struct listing *l, struct err *err)
{
	l->walk = (struct walk){ .store = pipeline_store(r->pipeline), .left = UINT64_MAX };
	const char *concept = query_get(r, "concept");
	const char *source = query_get(r, "source");
	l->names = mem_printf("%s%s", concept ? concept : "", source ? source : "");
	l->walk.filter.concept = (struct slice){ l->names, concept ? strlen(concept) : 0 };
	l->walk.filter.source = (struct slice){ l->names + l->walk.filter.concept.len, source ? strlen(source) : 0 };
	if (filter_states(r, &l->walk.filter, err) < 0 ||
		query_u64(r, "after", 0, UINT64_MAX, &l->walk.after, err) < 0 ||
		query_u64(r, "limit", 1, PAGE_LIMIT_MAX, &l->walk.left, err) < 0 ||
		query_bool(r, "full", &l->full, err) < 0)
		return -1;
	return 0;
}

struct reply items_answer(struct request *r)
{
	struct err err;
	struct listing *l = mem_zero(1, sizeof(*l));
	if (listing_query(r, l, &err) < 0) {
		listing_free(l);
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	}
	return reply_stream(r, TYPE_JSONL, listing_fill, l, listing_free);
}

/* The item in a fresh snapshot. 0; -1 with *ret_reply the answer. */
static int find_item(const struct request *r, struct view **ret_view, struct item *ret, struct reply *ret_reply)
{
	struct err err;
	CLEANUP(view_closep) struct view *v = NULL;
	int found = view_open(pipeline_store(r->pipeline), &v, &err) < 0 ? -1 : view_item(v, r->item, ret, &err);
	if (found == 1) {
		*ret_view = TAKE_PTR(v);
		return 0;
	}
	*ret_reply = found < 0 ? reply_err(&err, MHD_HTTP_CONFLICT) : reply_problem(MHD_HTTP_NOT_FOUND,
		"there is no item %llu; `inlet items` lists them", (unsigned long long)r->item);
	return -1;
}

static void etag_of(const void *p, size_t n, char ret[CONTENT_ID_HEX + 3])
{
	struct content_id id;
	struct sha256 *h = sha256_new();
	sha256_of(h, p, n, id.sha256);
	sha256_free(h);
	text_hex(id.sha256, SHA256_BYTES, ret + 1);
	ret[0] = '"';
	memcpy(ret + 1 + CONTENT_ID_HEX, "\"", 2);
}

struct reply item_answer(struct request *r)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct item item;
	struct reply reply;
	struct err err;
	struct buf text = { 0 };
	if (find_item(r, &v, &item, &reply) < 0)
		return reply;
	if (show_json(v, &item, &text, &err) < 0) {
		buf_done(&text);
		return reply_err(&err, MHD_HTTP_CONFLICT);
	}
	buf_char(&text, '\n');
	char etag[CONTENT_ID_HEX + 3];
	etag_of(text.data, text.len, etag);
	if (etag_match(r->if_none_match, etag)) {
		buf_done(&text);
		reply = reply_empty(MHD_HTTP_NOT_MODIFIED);
	} else {
		reply = reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
	}
	reply_header(&reply, "ETag", etag);
	return reply;
}

/* User media: never shown inside the browser's page, whatever it claims to be (reply.c adds nosniff and sandbox). */
static void attach(struct reply *reply, const struct item *item, struct slice type, const char *suffix)
{
	char name[80];
	char mime[128];
	(void)snprintf(
		name, sizeof(name), "attachment; filename=\"item-%llu%s\"", (unsigned long long)item->id, suffix);
	(void)snprintf(mime, sizeof(mime), "%.*s", type.len ? (int)type.len : (int)strlen("application/octet-stream"),
		type.len ? type.p : "application/octet-stream");
	reply_header(reply, "Content-Disposition", name);
	reply_header(reply, "Content-Type", mime);
}

static struct reply original(struct request *r, const struct item *item)
{
	struct err err;
	char etag[CONTENT_ID_HEX + 3] = "\"";
	int fd;
	uint64_t offset;
	text_hex(item->content.sha256, SHA256_BYTES, etag + 1);
	memcpy(etag + 1 + CONTENT_ID_HEX, "\"", 2);
	bool same = etag_match(r->if_none_match, etag);
	if (!same && pipeline_bytes(r->pipeline, item, &fd, &offset, &err) < 0)
		return reply_err(&err, MHD_HTTP_GONE);
	struct reply reply = same ? reply_empty(MHD_HTTP_NOT_MODIFIED) : reply_file(fd, offset, item->bytes);
	attach(&reply, item, item->media_type, "");
	reply_header(&reply, "ETag", etag);
	return reply;
}

static struct slice derived_type(const struct item *item, const struct buf *bytes)
{
	const char *extension = signature_extension(bytes->data, bytes->len);
	if (strcmp(extension, "png") == 0)
		return SLICE_LIT("image/png");
	if (strcmp(extension, "jpg") == 0)
		return SLICE_LIT("image/jpeg");
	if (item->media == MEDIA_TEXT)
		return SLICE_LIT("text/plain; charset=utf-8");
	return SLICE_LIT("application/octet-stream");
}

static struct reply derived(struct request *r, struct view *v, const struct item *item, enum derived_kind kind)
{
	struct err err;
	struct record_derived where;
	struct buf bytes = { 0 };
	bool thumbnail = kind == DERIVED_THUMBNAIL;
	int known = view_derived(v, item->id, kind, &where, &err);
	if (known == 0 && !thumbnail && !content_id_none(&item->canonical))
		return original(r, item); /* its bytes are the canonical form already */
	if (known == 0)
		return reply_problem(MHD_HTTP_NOT_FOUND, "item %llu has no %s: it is %s", (unsigned long long)item->id,
			thumbnail ? "thumbnail" : "canonical form", item_state_name(item->state));
	int got = known < 0 ? -1 : store_derived(pipeline_store(r->pipeline), item->id, kind, &bytes, &err);
	if (got == 1) {
		struct slice type = derived_type(item, &bytes);
		struct reply reply = reply_text(MHD_HTTP_OK, TYPE_JSON, &bytes);
		(void)MHD_del_response_header(reply.response, "Content-Type", TYPE_JSON);
		attach(&reply, item, type, thumbnail ? "-thumbnail" : "-canonical");
		return reply;
	}
	buf_done(&bytes);
	return got < 0 ? reply_err(&err, MHD_HTTP_CONFLICT) : reply_problem(MHD_HTTP_SERVICE_UNAVAILABLE,
		"the derived bytes of item %llu are damaged; `inlet retry` or the next normalization makes them again",
		(unsigned long long)item->id);
}

struct reply content_answer(struct request *r)
{
	static const char *const forms[] = { "original", "thumbnail", "canonical", NULL };
	CLEANUP(view_closep) struct view *v = NULL;
	struct item item;
	struct reply reply;
	struct err err;
	int form = 0;
	if (query_choice(r, "form", forms, &form, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (find_item(r, &v, &item, &reply) < 0)
		return reply;
	if (form == 0)
		return original(r, &item);
	return derived(r, v, &item, form == 1 ? DERIVED_THUMBNAIL : DERIVED_CANONICAL);
}

typedef int64_t decide_fn(struct pipeline *p, uint64_t item, struct slice concept, const char *user, struct err *err);

static struct reply decide(struct request *r, decide_fn *fn, bool needs_concept)
{
	struct slice concept = { 0 };
	struct err err;
	CLEANUP(view_closep) struct view *v = NULL;
	struct item item;
	struct reply reply;
	if (body_str(r, "concept", &concept, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	if (needs_concept && concept.len == 0)
		return reply_problem(MHD_HTTP_BAD_REQUEST, "say which label: {\"concept\":\"…\"}");
	if (find_item(r, &v, &item, &reply) < 0)
		return reply;
	int64_t revision = fn(r->pipeline, r->item, concept, r->user, &err);
	if (revision < 0)
		return reply_err(&err, MHD_HTTP_CONFLICT);
	struct buf text = { 0 };
	struct json j = { .to = &text };
	json_open(&j, NULL, '{');
	json_u64(&j, "item", r->item);
	json_i64(&j, "revision", revision);
	json_close(&j, '}');
	buf_char(&text, '\n');
	return reply_text(MHD_HTTP_OK, TYPE_JSON, &text);
}

struct reply accept_answer(struct request *r)
{
	return decide(r, decide_accept, false);
}

struct reply reject_answer(struct request *r)
{
	return decide(r, decide_reject, false);
}

struct reply label_answer(struct request *r)
{
	return decide(r, decide_label, true);
}
