/* table.c - CSV with a header. */
#include "daemon/manifest/table.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/format.h"

#include <stdlib.h>

static const char delimiters[] = ",;\t|";

char table_delimiter(struct slice head)
{
	size_t counts[sizeof(delimiters) - 1] = { 0 };
	bool quoted = false;
	for (size_t i = 0; i < head.len; i++) {
		char c = head.p[i];
		if (c == '"')
			quoted = !quoted;
		if (quoted || c == '\0')
			continue;
		if (c == '\n' || c == '\r')
			break;
		const char *at = strchr(delimiters, c);
		if (at)
			counts[at - delimiters]++;
	}
	size_t best = 0;
	for (size_t i = 1; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i] > counts[best])
			best = i;
	return delimiters[best];
}

/* Is it the name of a column before i? */
static bool is_taken(const struct table *t, const size_t *begins, size_t i, struct slice name)
{
	for (size_t k = 0; k < i; k++)
		if (slice_eq((struct slice){ t->name_text.data + begins[k], t->names[k].len }, name))
			return true;
	return false;
}

/* The names get a suffix where one stands twice; an empty one is called by its place. */
static void name_columns(struct table *t, const struct csv_record *r)
{
	t->width = r->count;
	t->names = mem_zero(r->count, sizeof(*t->names));
	size_t *begins = mem_zero(r->count, sizeof(*begins));
	for (size_t i = 0; i < r->count; i++) {
		struct slice name = slice_trim(r->fields[i]);
		size_t same = 1, begin = begins[i] = t->name_text.len;
		for (size_t k = 0; name.len && k < i; k++)
			same += slice_eq(slice_trim(r->fields[k]), name);
		do { /* "a", "a", "a (2)": the third is not another "a (2)" */
			t->name_text.len = begin;
			buf_add(&t->name_text, name.p, name.len);
			if (name.len == 0)
				buf_printf(&t->name_text, "column %zu", i + 1);
			if (same > 1)
				buf_printf(&t->name_text, " (%zu)", same);
			t->names[i].len = t->name_text.len - begin;
			same++;
		} while (is_taken(t, begins, i, (struct slice){ t->name_text.data + begin, t->names[i].len }));
		buf_char(&t->name_text, '\0');
	}
	for (size_t i = 0; i < r->count; i++)
		t->names[i].p = t->name_text.data + begins[i];
	free(begins);
}

static int read_header(struct manifest *m, struct err *err)
{
	struct table *t = &m->table;
	int got = csv_next(&t->csv, &t->record, err);
	if (got < 0)
		return -1;
	if (got == CSV_END)
		return err_set(err, ERR_REJECT, 0, "it is empty; the first line names the columns");
	if (got == CSV_BAD)
		return err_set(err, ERR_REJECT, 0, "line %llu, column %llu: %s; %s",
			(unsigned long long)t->record.bad_at.line, (unsigned long long)t->record.bad_at.column,
			t->record.reason, t->record.cure);
	if (!text_is_utf8(t->record.raw))
		return err_set(err, ERR_REJECT, 0, "its header is not UTF-8; save it as UTF-8");
	if (t->record.raw.len > MANIFEST_HEADER_MAX)
		return err_set(err, ERR_REJECT, 0, "its header is longer than %u bytes; shorten the names of its columns",
			MANIFEST_HEADER_MAX);
	if (t->record.count > MANIFEST_COLUMNS_MAX)
		return err_set(err, ERR_REJECT, 0, "it has %zu columns, more than %u", t->record.count,
			MANIFEST_COLUMNS_MAX);
	name_columns(t, &t->record);
	buf_add(&t->header, t->record.raw.p, t->record.raw.len);
	buf_str(&t->header, "\n");
	return 0;
}

int table_open(struct manifest *m, char delimiter, bool has_header, struct err *err)
{
	csv_init(&m->table.csv, &m->window, delimiter, m->o.field_max, m->o.record_max);
	return has_header ? read_header(m, err) : 0;
}

void table_done(struct table *t)
{
	csv_done(&t->csv);
	free(t->names);
	buf_done(&t->name_text);
	buf_done(&t->header);
}

ptrdiff_t table_column(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->width; i++)
		if (slice_eq(t->names[i], slice_of(name)))
			return (ptrdiff_t)i;
	return -1;
}

struct manifest_place table_place(const struct manifest *m, size_t column)
{
	return csv_field_place(&m->table.csv, &m->table.record, column);
}

static bool is_empty(const struct csv_record *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->fields[i].len)
			return false;
	return true;
}

/* What is wrong with a record as a row of this table: DRAFT_FAILED, or DRAFT_ROW. */
static int check(struct manifest *m, const struct csv_record *r)
{
	const struct table *t = &m->table;
	struct draft *d = &m->draft;
	if (t->width && r->count != t->width) {
		struct manifest_place at = r->count > t->width ? table_place(m, t->width) : csv_place(r, r->raw.len);
		return draft_fail(d, at, "quote fields that contain the delimiter or line ends",
			"the row has %zu field%s, the header has %zu", r->count, r->count == 1 ? "" : "s", t->width);
	}
	if (text_is_utf8(r->raw))
		return DRAFT_ROW;
	size_t i = 0;
	while (i + 1 < r->count && text_is_utf8(r->fields[i]))
		i++;
	return draft_fail(d, table_place(m, i), "save the file as UTF-8", "the field is not UTF-8");
}

int table_next(struct manifest *m, table_row_fn *row, struct err *err)
{
	struct csv_record *r = &m->table.record;
	int got = csv_next(&m->table.csv, r, err);
	if (got <= 0)
		return got;
	draft_begin(&m->draft, r->at, r->raw);
	if (got == CSV_BAD) {
		(void)draft_fail(&m->draft, r->bad_at, r->cure, "%s", r->reason);
		m->draft.failure.raw_cut = r->raw_cut;
		return DRAFT_FAILED;
	}
	if (is_empty(r)) /* a spreadsheet's empty rows: ,,,, */
		return DRAFT_SKIP;
	if (check(m, r) == DRAFT_FAILED)
		return DRAFT_FAILED;
	return row(m, r);
}

void table_describe(const struct manifest *m, struct buf *to)
{
	const struct table *t = &m->table;
	if (t->csv.delimiter == '\t')
		buf_str(to, ", delimiter tab");
	else
		buf_printf(to, ", delimiter '%c'", t->csv.delimiter);
	if (!t->width)
		return;
	buf_str(to, ", columns");
	size_t shown = t->width < 40 ? t->width : 40;
	for (size_t i = 0; i < shown; i++) {
		buf_char(to, ' ');
		text_printable(to, t->names[i]);
	}
	if (shown < t->width)
		buf_printf(to, " and %zu more", t->width - shown);
}

int table_header(const struct manifest *m, struct slice *ret)
{
	*ret = buf_slice(&m->table.header);
	return 0;
}

bool table_values(const struct manifest *m, struct json *j)
{
	const struct table *t = &m->table;
	const struct csv_record *r = &t->record;
	if (!r->fields || !text_is_utf8(r->raw) || (t->width && t->width != r->count))
		return false;
	json_open(j, NULL, '{');
	for (size_t i = 0; i < r->count; i++) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		struct slice name = t->width ? t->names[i] : slice_of(number);
		json_str(j, NULL, name);
		buf_char(j->to, ':');
		j->comma = false;
		json_str(j, NULL, r->fields[i]);
	}
	json_close(j, '}');
	return true;
}
