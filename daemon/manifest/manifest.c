/* manifest.c - the frame around the formats: opening, one row after the other, where it stands. */
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/format.h"
#include "daemon/manifest/formats.h"
#include "daemon/manifest/sniff.h"

#include <stdlib.h>

/* manifest.h says what each is. */
static const struct format *const formats[MANIFEST_FORMATS] = {
	[MANIFEST_CSV] = &manifest_csv,
	[MANIFEST_JSONL] = &manifest_jsonl,
	[MANIFEST_CLARIFAI] = &manifest_clarifai,
	[MANIFEST_LABEL_STUDIO] = &manifest_labelstudio,
	[MANIFEST_GROUND_TRUTH] = &manifest_groundtruth,
	[MANIFEST_VERTEX] = &manifest_vertex,
	[MANIFEST_AUTOML] = &manifest_automl,
	[MANIFEST_CVAT] = &manifest_cvat,
	[MANIFEST_HUGGING_FACE] = &manifest_huggingface,
	[MANIFEST_COCO] = &manifest_coco,
	[MANIFEST_YOLO] = &manifest_yolo,
	[MANIFEST_OPENAI] = &manifest_openai,
	[MANIFEST_URLS] = &manifest_urls,
	[MANIFEST_SIDECAR] = &manifest_sidecar,
};

const char *const *manifest_format_names(void)
{
	return manifest_format_words;
}

const char *manifest_format_name(enum manifest_format f)
{
	return manifest_format_words[f];
}

enum manifest_format manifest_format_parse(struct slice name, bool *ret_known)
{
	*ret_known = true;
	for (enum manifest_format f = 0; f < MANIFEST_FORMATS; f++)
		if (slice_eq(name, slice_of(manifest_format_name(f))))
			return f;
	*ret_known = false;
	return MANIFEST_AUTO;
}

enum manifest_input manifest_input_parse(struct slice name, bool *ret_known)
{
	*ret_known = true;
	for (enum manifest_input i = INPUT_AUTO; i < INPUTS; i++)
		if (slice_eq(name, slice_of(manifest_input_words[i])))
			return i;
	*ret_known = false;
	return INPUT_AUTO;
}

/* Behind what open read, or where the reader was left before. */
static int go_to_start(struct manifest *m, struct err *err)
{
	const struct manifest_point *from = &m->o.from;
	if (from->offset == 0 && from->rows == 0)
		return 0;
	m->rows = from->rows;
	if (m->format->resume)
		return m->format->resume(m, err);
	if (from->offset < window_offset(&m->window))
		return err_set(err, ERR_REJECT, 0, "byte %llu is before its first row; import it anew",
			(unsigned long long)from->offset);
	if (window_goto(&m->window, from->offset, m->o.seek, err) < 0)
		return -1;
	m->window.line = from->line;
	m->window.line_offset = from->line_offset;
	if (m->table.csv.window)
		csv_moved(&m->table.csv);
	return 0;
}

static int begin(struct manifest *m, manifest_read_fn *read, void *arg, struct err *err)
{
	if (window_init(&m->window, unpack_new(read, arg, m->o.text_max), err) < 0)
		return -1;
	int id = m->o.format == MANIFEST_AUTO ? sniff(m, err) : (int)m->o.format;
	if (id < 0)
		return -1;
	m->id = (enum manifest_format)id;
	m->format = formats[id];
	if (m->format->open(m, err) < 0)
		return -1;
	return go_to_start(m, err);
}

int manifest_open(const struct manifest_options *o, manifest_read_fn *read, void *arg, struct manifest **ret,
	struct err *err)
{
	struct manifest *m = mem_zero(1, sizeof(*m));
	m->o = *o;
	m->name = mem_strdup(o->name ? o->name : "manifest");
	m->o.name = m->name;
	m->o.field_max = o->field_max ? o->field_max : MANIFEST_FIELD_MAX;
	m->o.record_max = o->record_max ? o->record_max : MANIFEST_RECORD_MAX;
	m->o.text_max = o->text_max ? o->text_max : MANIFEST_TEXT_MAX;
	if (begin(m, read, arg, err) < 0) {
		(void)err_wrap(err, "%s", m->name);
		manifest_close(m);
		return -1;
	}
	*ret = m;
	return 0;
}

void manifest_close(struct manifest *m)
{
	if (!m)
		return;
	if (m->state && m->format->close)
		m->format->close(m);
	table_done(&m->table);
	values_done(&m->values);
	dom_done(&m->dom);
	draft_done(&m->draft);
	window_done(&m->window);
	if (m->o.spool >= 0)
		(void)close(m->o.spool);
	free(m->name);
	free(m);
}

int manifest_next(struct manifest *m, struct manifest_row *ret_row, struct manifest_failure *ret_failure,
	struct err *err)
{
	int got = DRAFT_SKIP;
	while (!m->broken.class && got == DRAFT_SKIP) {
		got = m->format->next(m, &m->broken);
		if (got < 0)
			(void)err_wrap(&m->broken, "%s", m->name);
	}
	if (m->broken.class) {
		if (err)
			*err = m->broken;
		return -1;
	}
	m->rows += got != 0;
	if (got == DRAFT_ROW)
		*ret_row = m->draft.row;
	else if (got == DRAFT_FAILED)
		*ret_failure = m->draft.failure;
	return got;
}

void manifest_tell(const struct manifest *m, struct manifest_point *ret)
{
	*ret = (struct manifest_point){ window_offset(&m->window), m->window.line, m->rows, m->window.line_offset };
}

enum manifest_format manifest_format(const struct manifest *m)
{
	return m->id;
}

void manifest_describe(const struct manifest *m, struct buf *to)
{
	static const char *const encodings[] = { "", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE" };
	enum packing packing = unpack_packing(m->window.from);
	const char *encoding = encodings[m->window.encoding];
	text_printable(to, slice_of(m->name));
	buf_printf(to, ": %s", m->format->title);
	if (packing || *encoding)
		buf_printf(to, " (%s%s%s)", packing == PACKING_GZIP ? "gzip" : packing ? "zstd" : "",
			packing && *encoding ? ", " : "", encoding);
	if (m->format->describe)
		m->format->describe(m, to);
}

uint64_t manifest_read_bytes(const struct manifest *m)
{
	return unpack_stored_bytes(m->window.from);
}

int manifest_header(const struct manifest *m, struct slice *ret)
{
	*ret = (struct slice){ 0 };
	return m->format->header ? m->format->header(m, ret) : 0;
}

struct slice manifest_attributes(const struct manifest *m)
{
	return m->format->attributes ? m->format->attributes(m) : (struct slice){ 0 };
}

/* Control characters and quotes are JSON's to escape; here only what is no UTF-8 becomes \xNN. */
static void add_visible(struct buf *to, struct slice raw)
{
	while (raw.len) {
		size_t n = 1;
		while (n < raw.len && n < 4 && !text_is_utf8((struct slice){ raw.p, n }))
			n++;
		if (text_is_utf8((struct slice){ raw.p, n })) {
			buf_add(to, raw.p, n);
		} else {
			buf_printf(to, "\\x%02x", (unsigned char)*raw.p);
			n = 1;
		}
		raw = (struct slice){ raw.p + n, raw.len - n };
	}
}

void manifest_values(const struct manifest *m, struct buf *to)
{
	size_t start = to->len;
	struct json j = { .to = to };
	if (m->format->values && m->format->values(m, &j))
		return;
	to->len = start;
	j = (struct json){ .to = to };
	struct buf visible = { 0 };
	if (text_is_utf8(m->draft.row.raw))
		buf_add(&visible, m->draft.row.raw.p, m->draft.row.raw.len);
	else
		add_visible(&visible, m->draft.row.raw);
	json_open(&j, NULL, '{');
	json_str(&j, "text", buf_slice(&visible));
	json_close(&j, '}');
	buf_done(&visible);
}
