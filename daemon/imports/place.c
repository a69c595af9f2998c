/* place.c - which number a failure gets. */
#include "daemon/imports/place.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/model/import_body.h"
#include "daemon/store/view.h"

#include <stdlib.h>

#define FILES_MIN 64
#define SLICE_FAILURES 500 /* looked at in one snapshot */

void places_done(struct failure_places *p)
{
	bitset_done(&p->failed);
	free(p->files);
	*p = (struct failure_places){ 0 };
}

/* The slot of this hash, or the free one where it goes. */
static struct file_place *slot(const struct failure_places *p, uint64_t hash)
{
	size_t at = hash & (p->file_cap - 1);
	while (p->files[at].number && p->files[at].hash != hash)
		at = (at + 1) & (p->file_cap - 1);
	return &p->files[at];
}

static void grow(struct failure_places *p)
{
	struct failure_places old = *p;
	if (p->file_cap == 0)
		hash_random(&p->key, sizeof(p->key));
	p->file_cap = old.file_cap ? 2 * old.file_cap : FILES_MIN;
	p->files = mem_zero(p->file_cap, sizeof(*p->files));
	for (size_t i = 0; i < old.file_cap; i++)
		if (old.files[i].number)
			*slot(p, old.files[i].hash) = old.files[i];
	free(old.files);
}

static uint64_t hash_of(const struct failure_places *p, struct slice path)
{
	struct digest128 digest = { 0, 0 };
	digest128_add(&digest, &p->key, path.p, path.len);
	return digest.lo;
}

/* The number of a path; number 0: the one it has, else the next. */
static uint64_t number_of(struct failure_places *p, struct slice path, uint64_t number)
{
	if (2 * p->file_count >= p->file_cap)
		grow(p);
	uint64_t hash = hash_of(p, path);
	struct file_place *at = slot(p, hash);
	if (!at->number) {
		*at = (struct file_place){ hash, number ? number : p->last + 1 };
		p->file_count++;
	}
	if (at->number > p->last)
		p->last = at->number;
	return at->number;
}

static int load_one(struct failure_places *p, const struct failure *f, struct err *err)
{
	struct import_failure row;
	struct reader r;
	if (import_failure_read(f->row, &r, &row, err) < 0)
		return -1;
	(void)number_of(p, row.raw, row_line(f->number));
	reader_done(&r);
	return 0;
}

int places_load(struct failure_places *p, struct store *s, uint64_t import, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct failure f = { .number = row_number(import, 0) };
	int more = view_open(s, &v, err) < 0 ? -1 : 1;
	for (int n = 1; more > 0; n++) {
		more = view_failure_next(v, SUBJECT_ROW, f.number, &f, err);
		if (more > 0 && row_import(f.number) != import)
			return 0;
		if (more > 0 && (load_one(p, &f, err) < 0 || (n % SLICE_FAILURES == 0 && view_renew(v, err) < 0)))
			more = -1;
	}
	return more;
}

/* A JSON document may hold all its rows in one line: then those after the first get the numbers that follow the highest one,
 * and so the same ones whenever the same manifest comes again. */
uint64_t places_give(struct failure_places *p, uint64_t line, struct slice path)
{
	uint64_t place = line;
	if (line == 0)
		place = number_of(p, path, 0);
	else if (bitset_has(&p->failed, line) && p->last < ROW_LINE_MAX)
		place = p->last + 1;
	bitset_set(&p->failed, place);
	if (place > p->last)
		p->last = place;
	return place;
}

bool places_failed(const struct failure_places *p, struct slice path)
{
	return p->file_count > 0 && bitset_has(&p->failed, slot(p, hash_of(p, path))->number);
}
