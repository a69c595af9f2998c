/* label.c - labels of imports as JSON. */
#include "daemon/model/label.h"

void label_put(struct json *j, const struct label *l)
{
	json_open(j, NULL, '{');
	json_bytes(j, "concept", l->concept);
	if (l->confidence >= 0)
		json_double(j, "confidence", l->confidence);
	if (l->status != STATUS_SUCCESS)
		json_str(j, "status", slice_of(status_name(l->status)));
	if (l->maker != BY_UNKNOWN)
		json_str(j, "maker", slice_of(maker_name(l->maker)));
	if (l->worker.len)
		json_bytes(j, "worker", l->worker);
	if (l->geometry.len)
		json_raw(j, "geometry", l->geometry);
	if (l->attributes.len)
		json_raw(j, "attributes", l->attributes);
	json_close(j, '}');
}

static void read_label(struct reader *r, struct label *ret)
{
	*ret = (struct label){ .concept = reader_text(r, "concept"), .confidence = reader_real_or(r, "confidence", -1) };
	struct slice status = reader_text_or_empty(r, "status");
	struct slice maker = reader_text_or_empty(r, "maker");
	ret->status = status.len ? status_parse(status) : STATUS_SUCCESS;
	ret->maker = maker_parse(maker);
	ret->worker = reader_text_or_empty(r, "worker");
	ret->geometry = reader_raw_object(r, "geometry");
	ret->attributes = reader_raw_object(r, "attributes");
	if (ret->concept.len == 0)
		reader_fail(r, "concept", "is empty");
	if (ret->status == STATUS_NONE)
		reader_fail(r, "status", "has an unknown value");
	if (maker.len && ret->maker == BY_UNKNOWN && !slice_eq(maker, slice_of(maker_name(BY_UNKNOWN))))
		reader_fail(r, "maker", "has an unknown value");
}

int label_next(struct label_walk *w, struct label *ret, struct err *err)
{
	struct slice text;
	label_walk_done(w);
	if (!reader_raw_next(&w->rest, &text))
		return 0;
	if (reader_init(&w->reader, text, err) < 0)
		return err_wrap(err, "label");
	read_label(&w->reader, ret);
	return reader_finish(&w->reader, err) < 0 ? err_wrap(err, "label") : 1;
}

void label_walk_done(struct label_walk *w)
{
	reader_done(&w->reader);
}
