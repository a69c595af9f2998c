/* import_body.c - bodies of rows, read and written. */
#include "daemon/model/import_body.h"

static bool known_place(struct slice at)
{
	static const char *const places[] = { "text", "path", "url", "s3", "gs", BODY_DIRECTORY, BODY_SIDECAR };
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (slice_eq(slice_of(places[i]), at))
			return true;
	return false;
}

bool import_body_is(struct slice body, const char *at)
{
	static const char head[] = "{\"at\":\"";
	size_t n = sizeof(head) - 1, len = strlen(at);
	return body.len > n + len && memcmp(body.p, head, n) == 0 && memcmp(body.p + n, at, len) == 0 && body.p[n + len] == '"';
}

int import_body_read(struct slice text, struct reader *r, struct import_body *ret, struct err *err)
{
	if (reader_init(r, text, err) < 0)
		return err_wrap(err, "row");
	*ret = (struct import_body){
		.at = reader_text(r, "at"),
		.where = reader_text_or_empty(r, "where"),
		.media = reader_text_or_empty(r, "media"),
		.split = reader_text_or_empty(r, "split"),
		.metadata = reader_raw_object(r, "metadata"),
		.unreadable = reader_text_or_empty(r, "unreadable"),
		.attributes = reader_raw_object(r, "attributes"),
		.labels = reader_raw_list(r, "labels"),
	};
	if (!known_place(ret->at))
		reader_fail(r, "at", "has an unknown value");
	if (reader_finish(r, err) == 0)
		return 0;
	reader_done(r);
	return err_wrap(err, "row");
}

static int write_labels(struct slice list, struct json *j, struct err *err)
{
	struct label_walk w = { .rest = list };
	struct slice rest = list, first;
	struct label l;
	int more;
	if (!reader_raw_next(&rest, &first))
		return 0;
	json_open(j, "labels", '[');
	while ((more = label_next(&w, &l, err)) > 0)
		label_put(j, &l);
	label_walk_done(&w);
	json_close(j, ']');
	return more;
}

static void put_if_any(struct json *j, const char *name, struct slice s)
{
	if (s.len)
		json_bytes(j, name, s);
}

int import_body_write(struct slice text, struct buf *to, struct err *err)
{
	struct reader r;
	struct import_body b;
	struct json j = { .to = to };
	size_t start = to->len;
	int ok = 0;
	if (import_body_read(text, &r, &b, err) < 0)
		return -1;
	json_open(&j, NULL, '{');
	json_bytes(&j, "at", b.at);
	put_if_any(&j, "where", b.where);
	put_if_any(&j, "media", b.media);
	put_if_any(&j, "split", b.split);
	if (b.metadata.len)
		json_raw(&j, "metadata", b.metadata);
	put_if_any(&j, "unreadable", b.unreadable);
	if (b.attributes.len)
		json_raw(&j, "attributes", b.attributes);
	if (b.labels.len)
		ok = write_labels(b.labels, &j, err);
	json_close(&j, '}');
	json_one_line(to, start);
	reader_done(&r);
	return ok < 0 ? err_wrap(err, "row") : 0;
}

int import_failure_read(struct slice text, struct reader *r, struct import_failure *ret, struct err *err)
{
	if (reader_init(r, text, err) < 0)
		return err_wrap(err, "failed row");
	*ret = (struct import_failure){
		.column = reader_u64_or(r, "column", INT64_MAX, 0),
		.offset = reader_u64_or(r, "offset", INT64_MAX, 0),
		.retry = reader_flag(r, "retry"),
		.values = reader_raw_object(r, "values"),
		.raw = reader_text_or_empty(r, "raw"),
		.cut = reader_flag(r, "cut"),
		.url = reader_text_or_empty(r, "url"),
		.line = reader_u64_or(r, "line", INT64_MAX, 0),
		.more = reader_raw_list(r, "more"),
	};
	if (reader_finish(r, err) == 0)
		return 0;
	reader_done(r);
	return err_wrap(err, "failed row");
}

static int check_more(const struct import_failure *f, struct err *err)
{
	struct slice rest = f->more, one;
	struct import_failure row;
	struct reader r;
	while (reader_raw_next(&rest, &one)) {
		if (import_failure_read(one, &r, &row, err) < 0)
			return -1;
		bool plain = row.line > 0 && row.more.len == 0;
		reader_done(&r);
		if (!plain)
			return err_set(err, ERR_REJECT, 0, "failed row: one of 'more' has no line, or more of its own");
	}
	return 0;
}

int import_failure_write(struct slice text, struct buf *to, struct err *err)
{
	struct reader r;
	struct import_failure f;
	struct json j = { .to = to };
	size_t start = to->len;
	if (import_failure_read(text, &r, &f, err) < 0)
		return -1;
	int ok = check_more(&f, err);
	if (ok == 0)
		import_failure_put(&j, NULL, &f);
	json_one_line(to, start);
	reader_done(&r);
	return ok;
}

bool import_failure_next(struct slice *list, struct reader *r, struct import_failure *ret)
{
	struct slice one;
	struct err err;
	return reader_raw_next(list, &one) && import_failure_read(one, r, ret, &err) == 0;
}

void import_failure_put(struct json *j, const char *name, const struct import_failure *f)
{
	json_open(j, name, '{');
	json_u64(j, "column", f->column);
	json_u64(j, "offset", f->offset);
	if (f->retry)
		json_bool(j, "retry", true);
	if (f->values.len)
		json_raw(j, "values", f->values);
	json_bytes(j, "raw", f->raw);
	if (f->cut)
		json_bool(j, "cut", true);
	put_if_any(j, "url", f->url);
	if (f->line)
		json_u64(j, "line", f->line);
	if (f->more.len)
		json_raw(j, "more", f->more);
	json_close(j, '}');
}
