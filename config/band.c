/* band.c - looks bands up and writes them as canonical text. */
#include "config/band.h"

#include "daemon/base/json.h"

#include <stdlib.h>
#include <string.h>

static int by_concept(const void *a, const void *b)
{
	return strcmp(((const struct concept_band *)a)->concept, ((const struct concept_band *)b)->concept);
}

void bands_sort(struct bands *b)
{
	if (b->count > 1)
		qsort(b->concepts, b->count, sizeof(b->concepts[0]), by_concept);
}

static int against_concept(const void *key, const void *member)
{
	return slice_cmp(*(const struct slice *)key, slice_of(((const struct concept_band *)member)->concept));
}

const struct band *bands_find(const struct bands *b, struct slice concept)
{
	const struct concept_band *own =
		b->count ? bsearch(&concept, b->concepts, b->count, sizeof(b->concepts[0]), against_concept) : NULL;
	return own ? &own->band : &b->all;
}

static void band_text(struct json *j, const struct band *band)
{
	json_float(j, "accept", band->accept);
	json_float(j, "review", band->review);
}

void bands_text(const struct bands *b, struct buf *to)
{
	struct json j = { .to = to };
	json_open(&j, NULL, '{');
	band_text(&j, &b->all);
	json_open(&j, "concepts", '[');
	for (size_t i = 0; i < b->count; i++) {
		json_open(&j, NULL, '{');
		json_bytes(&j, "concept", slice_of(b->concepts[i].concept));
		band_text(&j, &b->concepts[i].band);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

void bands_done(struct bands *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->concepts[i].concept);
	free(b->concepts);
	*b = (struct bands){ 0 };
}
