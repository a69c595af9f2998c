/* table.c - aligned columns. */
#include "daemon/cli/table.h"

#include "daemon/base/mem.h"
#include "daemon/cli/out.h"

#include <stdlib.h>

#define GAP 2 /* blanks between columns */

struct table {
	const char *const *titles;
	size_t columns;
	bool color, begun;
	table_sink_fn *sink;
	void *arg;
	size_t width[TABLE_COLUMNS_MAX];
	struct buf *held[TABLE_HELD_ROWS]; /* arrays of cells */
	size_t held_count;
};

struct table *table_new(const char *const *titles, bool color, table_sink_fn *sink, void *arg)
{
	struct table *t = mem_zero(1, sizeof(*t));
	*t = (struct table){ .titles = titles, .color = color, .sink = sink, .arg = arg };
	while (titles[t->columns] && t->columns < TABLE_COLUMNS_MAX)
		t->columns++;
	return t;
}

static void row_free(const struct table *t, struct buf *cells)
{
	for (size_t i = 0; i < t->columns; i++)
		buf_done(&cells[i]);
	free(cells);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->held_count; i++)
		row_free(t, t->held[i]);
	free(t);
}

static bool right_aligned(const char *title)
{
	return *title == '>';
}

/* Characters, not bytes: good enough for columns, wide characters excepted. */
static size_t characters(struct slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

static void blanks(struct buf *to, size_t n)
{
	while (n-- > 0)
		buf_char(to, ' ');
}

static void add_cell(const struct table *t, size_t column, struct slice text, struct buf *line)
{
	size_t used = characters(text);
	size_t pad = t->width[column] > used ? t->width[column] - used : 0;
	bool right = right_aligned(t->titles[column]);
	if (right)
		blanks(line, pad);
	buf_add(line, text.p, text.len);
	if (column + 1 < t->columns)
		blanks(line, (right ? 0 : pad) + GAP);
}

static int write_line(const struct table *t, struct buf *line, struct err *err)
{
	buf_char(line, '\n');
	int r = t->sink(t->arg, buf_slice(line), err);
	buf_done(line);
	return r;
}

static int write_titles(const struct table *t, struct err *err)
{
	struct buf line = { 0 };
	if (t->color)
		buf_str(&line, "\033[1m");
	for (size_t i = 0; i < t->columns; i++)
		add_cell(t, i, slice_of(t->titles[i] + right_aligned(t->titles[i])), &line);
	if (t->color)
		buf_str(&line, "\033[0m");
	return write_line(t, &line, err);
}

static int write_row(const struct table *t, const struct buf *cells, struct err *err)
{
	struct buf line = { 0 };
	for (size_t i = 0; i < t->columns; i++)
		add_cell(t, i, buf_slice(&cells[i]), &line);
	return write_line(t, &line, err);
}

static void measure(struct table *t)
{
	for (size_t c = 0; c < t->columns; c++) {
		t->width[c] = characters(slice_of(t->titles[c] + right_aligned(t->titles[c])));
		for (size_t r = 0; r < t->held_count; r++) {
			size_t n = characters(buf_slice(&t->held[r][c]));
			n = n < TABLE_WIDTH_MAX ? n : TABLE_WIDTH_MAX;
			t->width[c] = n > t->width[c] ? n : t->width[c];
		}
	}
}

static int release_held(struct table *t, struct err *err)
{
	if (!t->begun) {
		measure(t);
		t->begun = true;
		if (write_titles(t, err) < 0)
			return -1;
	}
	int r = 0;
	for (size_t i = 0; i < t->held_count; i++) {
		r = r == 0 ? write_row(t, t->held[i], err) : r;
		row_free(t, t->held[i]);
	}
	t->held_count = 0;
	return r;
}

int table_row(struct table *t, const struct slice *cells, struct err *err)
{
	struct buf *row = mem_zero(t->columns, sizeof(*row));
	for (size_t i = 0; i < t->columns; i++)
		out_plain(&row[i], cells[i]);
	t->held[t->held_count++] = row;
	return t->begun || t->held_count == TABLE_HELD_ROWS ? release_held(t, err) : 0;
}

int table_end(struct table *t, struct err *err)
{
	return t->held_count ? release_held(t, err) : 0;
}
