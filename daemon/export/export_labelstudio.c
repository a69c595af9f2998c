/* export_labelstudio.c - the dataset as a list of Label Studio tasks. It says of every label how it stands, so that all that
 * stand go out, whatever --review says: what a model suggested is a prediction, what was accepted an annotation.
 *
 * A task that was imported is made again of what its row kept (daemon/manifest/format_labelstudio.c), its results where they
 * stood, as they came. Labels from elsewhere follow in annotations and predictions of their own. */
#include "daemon/export/format.h"

#include "daemon/base/mem.h"
#include "daemon/export/entry.h"
#include "daemon/export/labelstudio_result.h"
#include "daemon/manifest/reference.h"

#include <stdlib.h>

struct placed {
	const struct annotation *a;
	struct result_place at;
	bool done;
};
struct labelstudio {
	const struct export_options *options;
	struct export_left *left;
	struct entry entry;
	bool own;                    /* the entry's row is a Label Studio task */
	struct result_maker maker;
	struct dom metadata;
	struct placed *labels;       /* of the entry: those of its lists in their order, then the others */
	const struct annotation **words; /* of one result */
	size_t count, room;
};

static void *labelstudio_open(const struct export_options *o, struct export_left *left)
{
	struct labelstudio *l = mem_zero(1, sizeof(*l));
	l->options = o;
	l->left = left;
	l->maker.shape = shape_new();
	return l;
}

static void labelstudio_close(void *state)
{
	struct labelstudio *l = state;
	entry_done(&l->entry);
	shape_free(l->maker.shape);
	dom_done(&l->maker.said);
	dom_done(&l->metadata);
	free(l->labels);
	free(l->words);
	free(l);
}

/* ---- labels in their places ---- */

static bool is_imported(const struct annotation *a)
{
	return slice_eq(a->worker, SLICE_LIT("imported"));
}

static int compare(const void *a, const void *b)
{
	const struct placed *x = a;
	const struct placed *y = b;
	const double keys[] = { (double)(x->at.list == LIST_NONE) - (double)(y->at.list == LIST_NONE), (double)x->at.list - (double)y->at.list,
		x->at.index - y->at.index, x->at.result - y->at.result, x->at.word - y->at.word, (double)x->a->n - (double)y->a->n };
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i] < 0 || keys[i] > 0)
			return keys[i] < 0 ? -1 : 1;
	return 0;
}

/* Only what the import brought stands where it stood: what a person made of a prediction is an annotation of that person. */
static void place_labels(struct labelstudio *l, const struct item_full *full)
{
	const uint64_t object = l->entry.listed ? full->rows[0].object : 0;
	if (l->room < full->annotation_count) {
		l->room = full->annotation_count;
		l->labels = mem_resize(l->labels, l->room, sizeof(*l->labels));
		l->words = mem_resize(l->words, l->room, sizeof(*l->words));
	}
	l->count = 0;
	for (size_t i = 0; i < full->annotation_count; i++) {
		const struct annotation *a = &full->annotations[i];
		struct placed p = { .a = a };
		if (is_imported(a) && object && a->object == object)
			p.at = result_place(&l->maker, a);
		if (p.at.list != LIST_NONE || a->status != STATUS_REVIEW_DENIED)
			l->labels[l->count++] = p;
	}
	if (l->count)
		qsort(l->labels, l->count, sizeof(*l->labels), compare);
}

/* The results of one element of a list, from the labels on from *at. */
static void put_results(struct labelstudio *l, enum task_list list, size_t index, size_t *at, struct json *j)
{
	json_open(j, "result", '[');
	while (*at < l->count && l->labels[*at].at.list == list && l->labels[*at].at.index == (double)index) {
		const double result = l->labels[*at].at.result;
		size_t n = 0;
		while (*at < l->count && l->labels[*at].at.list == list && l->labels[*at].at.index == (double)index &&
			l->labels[*at].at.result == result)
			l->words[n++] = l->labels[(*at)++].a;
		result_as_came(&l->maker, l->words, n, j);
	}
	json_close(j, ']');
}

/* ---- labels from elsewhere ---- */

static bool is_prediction(const struct annotation *a)
{
	return slice_eq(a->worker, SLICE_LIT("model")) || (is_imported(a) && a->status == STATUS_AWAITING_REVIEW && a->maker == BY_MACHINE);
}

static struct slice maker_of(const struct annotation *a)
{
	return slice_eq(a->worker, SLICE_LIT("model")) ? a->model : a->worker;
}

static void put_other(struct labelstudio *l, const struct annotation *a, const struct shape_frame *frame, struct slice content,
	struct json *j)
{
	const struct annotation *one = a;
	if (result_place(&l->maker, a).list != LIST_NONE)
		result_as_came(&l->maker, &one, 1, j);
	else if (!result_make(&l->maker, a, frame, content, j))
		l->left->labels++;
}

/* One annotation for each person or list, or one prediction for each model. */
static void put_others(struct labelstudio *l, size_t from, bool predictions, const struct shape_frame *frame, struct slice content,
	struct json *j)
{
	for (size_t i = from; i < l->count; i++) {
		const struct annotation *first = l->labels[i].a;
		if (l->labels[i].done || is_prediction(first) != predictions)
			continue;
		json_open(j, NULL, '{');
		if (predictions)
			json_bytes(j, "model_version", maker_of(first));
		else
			json_bytes(j, "worker", first->worker);
		json_open(j, "result", '[');
		for (size_t k = i; k < l->count; k++) {
			const struct annotation *a = l->labels[k].a;
			if (l->labels[k].done || is_prediction(a) != predictions || !slice_eq(maker_of(a), maker_of(first)))
				continue;
			l->labels[k].done = true;
			put_other(l, a, frame, content, j);
		}
		json_close(j, ']');
		json_close(j, '}');
	}
}

static bool any_other(const struct labelstudio *l, size_t from, bool predictions)
{
	for (size_t i = from; i < l->count; i++)
		if (is_prediction(l->labels[i].a) == predictions)
			return true;
	return false;
}

/* ---- tasks ---- */

static const struct node *said(const struct labelstudio *l, const char *name)
{
	return !l->own ? NULL : node_get(&l->entry.said_dom, l->entry.said, name);
}

/* Under "text" a bare path would be read as a text. */
static bool wants_dot(const struct labelstudio *l, struct slice content)
{
	return !l->own && l->entry.at == ROW_PATH && slice_eq(content, SLICE_LIT("text")) &&
		reference_kind(l->entry.where) == REFERENCE_NONE;
}

static void put_content(struct labelstudio *l, struct slice content, struct json *j)
{
	const struct node *value = said(l, "value");
	struct slice where = l->entry.where;
	if (wants_dot(l, content))
		where = arena_printf(&l->entry.arena, "./%.*s", (int)where.len, where.p);
	if (j->comma)
		buf_char(j->to, ',');
	buf_char(j->to, '"');
	buf_add(j->to, content.p, content.len); /* as it was between its quotes */
	buf_str(j->to, "\":");
	j->comma = false;
	if (value)
		json_raw(j, NULL, node_json(value));
	else
		json_str(j, NULL, where);
	j->comma = true;
}

/* Metadata beside it: of a Label Studio task those that are not the task's own. */
static void put_data(struct labelstudio *l, struct slice content, struct json *j)
{
	static const char *const kept[] = { "meta", "project", "inner_id", "file_upload", "created_at", "updated_at", NULL };
	char name[256];
	struct dom_error ignored;
	size_t n = content.len < sizeof(name) ? content.len : sizeof(name) - 1;
	memcpy(name, content.p, n);
	name[n] = '\0';
	put_content(l, content, j);
	if (l->entry.metadata.len && dom_parse(&l->metadata, l->entry.metadata, &ignored) == 0) {
		bool whole_task = said(l, "task") != NULL;
		members_write_but(&l->metadata, dom_root(&l->metadata), whole_task ? kept : (const char *const[]){ name, NULL }, j);
	}
	members_write(&l->entry.said_dom, said(l, "data"), j);
}

/* A list as it was, its results in it, and what follows from elsewhere. */
static void put_list(struct labelstudio *l, enum task_list list, size_t *at, size_t others, const struct shape_frame *frame,
	struct slice content, struct json *j)
{
	const struct node *was = node_get_kind(&l->entry.said_dom, said(l, "lists"), task_list_name(list), NODE_ARRAY);
	const bool predictions = list == LIST_PREDICTIONS;
	const bool more = list != LIST_COMPLETIONS && any_other(l, others, predictions);
	size_t index = 0;
	if (!was && !more)
		return;
	json_open(j, task_list_name(list), '[');
	for (const struct node *n = was ? node_first(&l->entry.said_dom, was) : NULL; n; n = node_next(&l->entry.said_dom, was, n)) {
		json_open(j, NULL, '{');
		members_write(&l->entry.said_dom, n, j);
		if (!node_get(&l->entry.said_dom, n, "result"))
			put_results(l, list, index, at, j);
		json_close(j, '}');
		index++;
	}
	if (more)
		put_others(l, others, predictions, frame, content, j);
	json_close(j, ']');
}

static void put_task(struct labelstudio *l, const struct item_full *full, struct slice content, struct json *j)
{
	struct shape_frame frame = shape_frame(l->maker.shape, &full->item);
	size_t at = 0;
	size_t others = 0;
	while (others < l->count && l->labels[others].at.list != LIST_NONE)
		others++;
	json_open(j, NULL, '{');
	if (said(l, "bare") && l->count == 0) {
		put_data(l, content, j);
	} else {
		members_write(&l->entry.said_dom, said(l, "task"), j);
		json_open(j, "data", '{');
		put_data(l, content, j);
		json_close(j, '}');
		for (enum task_list list = LIST_ANNOTATIONS; list <= LIST_PREDICTIONS; list++)
			put_list(l, list, &at, others, &frame, content, j);
	}
	json_close(j, '}');
}

/* 1; 0: nobody can say where the bytes are, or the text is none. */
static int read_entry(struct labelstudio *l, const struct item_full *full, struct err *err)
{
	if (entry_read(&l->entry, l->options, full, err) < 0)
		return -1;
	const struct entry *e = &l->entry;
	l->own = node_get_kind(&e->said_dom, e->said, "content", NODE_STRING) &&
		(node_get(&e->said_dom, e->said, "task") || node_get(&e->said_dom, e->said, "bare"));
	if (l->entry.at == ROW_TEXT && !said(l, "value"))
		return entry_text(&l->entry, l->options, &full->item, err);
	return l->entry.at != 0;
}

static int labelstudio_add(void *state, const struct item_full *full, struct buf *to, struct err *err)
{
	struct labelstudio *l = state;
	int known = read_entry(l, full, err);
	if (known < 0)
		return -1;
	if (known == 0) {
		l->left->items++;
		l->left->labels += full->annotation_count;
		return 0;
	}
	const struct node *content = said(l, "content");
	const char *usual = l->entry.at == ROW_TEXT ? "text" : full->item.media == MEDIA_UNKNOWN ? "file" : media_name(full->item.media);
	struct json j = { .to = to };
	place_labels(l, full);
	put_task(l, full, content ? content->text : slice_of(usual), &j);
	return 0;
}

static void labelstudio_begin(void *state, struct buf *to)
{
	(void)state;
	buf_str(to, "[\n");
}

static int labelstudio_end(void *state, struct buf *to, struct err *err)
{
	(void)state;
	(void)err;
	buf_str(to, "\n]\n");
	return 0;
}

const struct format_ops format_labelstudio = { .type = "application/json", .file_name = "tasks.json", .list = true, .separator = ",\n",
	.says_status = true, .open = labelstudio_open, .begin = labelstudio_begin, .add = labelstudio_add, .end = labelstudio_end,
	.close = labelstudio_close };
