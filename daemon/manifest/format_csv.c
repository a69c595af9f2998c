/* format_csv.c - plain CSV: a header, columns by mapping or by usual names; the other columns are metadata. */
#include "daemon/manifest/formats.h"

#include "daemon/base/mem.h"
#include "daemon/manifest/mapped.h"
#include "daemon/manifest/roles.h"

#include <stdlib.h>

struct plain {
	ptrdiff_t of[MANIFEST_ROLES];
	bool *has_role;        /* [width] */
};

static struct manifest_place place_of(const struct manifest *m, enum manifest_role r)
{
	const struct plain *p = m->state;
	return p->of[r] < 0 ? m->draft.row.at : table_place(m, (size_t)p->of[r]);
}

int plain_table_open(struct manifest *m, const char *path_suffix, struct err *err)
{
	struct plain *p = m->state = mem_zero(1, sizeof(*p));
	struct manifest_columns columns = m->o.columns ? *m->o.columns : (struct manifest_columns){ 0 };
	struct window *w = &m->window;
	char delimiter = table_delimiter((struct slice){ w->data + w->at, window_left(w) });
	const struct table *t = &m->table;
	if (table_open(m, delimiter, true, err) < 0)
		return -1;
	for (size_t i = t->width; path_suffix && i-- > 0;) {
		size_t n = strlen(path_suffix);
		if (t->names[i].len >= n && memcmp(t->names[i].p + t->names[i].len - n, path_suffix, n) == 0)
			columns.of[ROLE_PATH] = t->names[i].p;
	}
	if (roles_resolve(&columns, t->names, t->width, p->of, err) < 0)
		return -1;
	p->has_role = mem_zero(t->width, sizeof(*p->has_role));
	bool content = false;
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++) {
		if (p->of[r] >= 0)
			p->has_role[p->of[r]] = true;
		content = content || (role_is_content(r) && p->of[r] >= 0);
	}
	if (content)
		return 0;
	CLEANUP(buf_done) struct buf shown = { 0 };
	table_describe(m, &shown);
	return err_set(err, ERR_REJECT, 0, "no column says where the files or texts are%.100s; say which with "
		"--columns url=NAME, or name it url, path or text: the first line has the names", shown.data);
}

/* The columns without a role, as members. */
static struct slice extra_members(struct manifest *m, const struct csv_record *r)
{
	const struct plain *p = m->state;
	struct draft *d = &m->draft;
	d->text.len = 0;
	struct json j = { .to = &d->text };
	for (size_t i = 0; i < r->count; i++) {
		if (p->has_role[i] || r->fields[i].len == 0)
			continue;
		json_str(&j, NULL, m->table.names[i]);
		buf_char(j.to, ':');
		j.comma = false;
		json_str(&j, NULL, r->fields[i]);
	}
	return d->text.len ? draft_take(d) : (struct slice){ 0 };
}

static int csv_row(struct manifest *m, const struct csv_record *r)
{
	const struct plain *p = m->state;
	struct mapped in = { .place = place_of };
	for (enum manifest_role role = 0; role < MANIFEST_ROLES; role++)
		if (p->of[role] >= 0)
			in.of[role] = r->fields[p->of[role]];
	in.extra = extra_members(m, r);
	return mapped_row(m, &in, false);
}

static int csv_open(struct manifest *m, struct err *err)
{
	return plain_table_open(m, NULL, err);
}

int plain_table_next(struct manifest *m, struct err *err)
{
	return table_next(m, csv_row, err);
}

void plain_table_close(struct manifest *m)
{
	struct plain *p = m->state;
	free(p->has_role);
	free(p);
}

const struct format manifest_csv = { .title = "CSV", .open = csv_open, .next = plain_table_next,
	.describe = table_describe, .header = table_header, .values = table_values, .close = plain_table_close };
