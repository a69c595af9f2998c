/* import_mends.c - finds failed rows again by what they say. */
#include "daemon/cli/import_mends.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"

#include <stdlib.h>

struct mend_row {
	uint64_t values, identity;  /* hashes; 0: it has none */
	uint64_t line, offset;      /* of a failed row */
	struct mend_row *of;        /* of a row: the failed one that it stands for; of a failed one: itself once it is taken */
	bool object;                /* what it names cannot be fetched: further rows may have named it */
};

static const struct hash_key key = { { 0 } }; /* nothing is kept, and who mends a list does not attack it */

static uint64_t hash_of(const char *text, size_t n)
{
	struct digest128 d = { 0, 0 };
	digest128_add(&d, &key, text, n);
	return d.lo ? d.lo : 1;
}

static uint64_t hash_of_values(const json_t *values)
{
	CLEANUP(freep) char *text = values ? json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
	return text ? hash_of(text, strlen(text)) : 0;
}

/* As the text that it is compared by; NULL: it is none. The caller frees it. */
static char *scalar(const json_t *value)
{
	if (json_is_string(value))
		return mem_strndup(json_string_value(value), json_string_length(value));
	return json_is_integer(value) ? mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value)) : NULL;
}

static struct mend_row *more(struct mend_row **rows, size_t *count, size_t *cap)
{
	if (*count == *cap) {
		*cap = *cap ? 2 * *cap : 64;
		*rows = mem_resize(*rows, *cap, sizeof(**rows));
	}
	(*rows)[*count] = (struct mend_row){ 0 };
	return &(*rows)[(*count)++];
}

/* --- the rows of the list --- */

/* The first row that says its identity in a column tells which it is. */
static void find_column(struct mends *s, json_t *values, struct slice identity)
{
	const char *name;
	json_t *value;
	json_object_foreach(values, name, value)
	{
		CLEANUP(freep) char *text = scalar(value);
		if (!s->column && text && slice_eq(slice_of(text), identity))
			s->column = mem_strdup(name);
	}
}

int mends_add(struct mends *s, const struct manifest *m, const struct manifest_row *row, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	if (s->count == MENDS_MAX)
		return err_set(err, ERR_REJECT, 0, "a list of more than %u mended rows; mend the list that they are from, and import that", MENDS_MAX);
	manifest_values(m, &text);
	CLEANUP(json_decrefp) json_t *values = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
	struct mend_row *own = more(&s->rows, &s->count, &s->cap);
	own->values = hash_of_values(values);
	if (!row || row->identity_kind == ROW_BY_TEXT)
		return 0;
	if (!s->column)
		find_column(s, values, row->identity);
	own->identity = hash_of(row->identity.p, row->identity.len);
	return 0;
}

/* --- those that failed --- */

static int add_one(struct mends *s, const json_t *row, bool object, struct err *err)
{
	const json_t *values = json_object_get(row, "values");
	uint64_t line = field_u64(row, "line");
	if (line == 0)
		return 0;
	if (s->failed_count == MENDS_MAX)
		return err_set(err, ERR_REJECT, 0, "more than %u rows of the import failed; mend its list, and import that again", MENDS_MAX);
	struct mend_row *own = more(&s->failed, &s->failed_count, &s->failed_cap);
	CLEANUP(freep) char *identity = s->column ? scalar(json_object_get(values, s->column)) : NULL;
	*own = (struct mend_row){ .values = hash_of_values(values), .identity = identity ? hash_of(identity, strlen(identity)) : 0,
		.line = line, .offset = field_u64(row, "offset"), .object = object };
	return 0;
}

/* Several rows may have failed in one: all that speak of a URL. */
static int add_failed(void *arg, const json_t *f, struct err *err)
{
	bool object = json_object_get(f, "key") != NULL;
	const json_t *further;
	size_t i;
	if (add_one(arg, f, object, err) < 0)
		return -1;
	json_array_foreach(json_object_get(f, "more"), i, further)
		if (add_one(arg, further, object, err) < 0)
			return -1;
	return 0;
}

/* --- which is which --- */

/* Failed rows in the order of one of their hashes; of the same, in their own. */
struct mend_entry {
	uint64_t hash;
	struct mend_row *row;
	size_t used;                 /* of the first of a run: how many of it are passed over */
};

static int by_hash(const void *a, const void *b)
{
	const struct mend_entry *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static struct mend_entry *index_of(const struct mends *s, bool identity)
{
	struct mend_entry *entries = mem_zero(s->failed_count + 1, sizeof(*entries));
	for (size_t i = 0; i < s->failed_count; i++)
		entries[i] = (struct mend_entry){ identity ? s->failed[i].identity : s->failed[i].values, &s->failed[i], 0 };
	qsort(entries, s->failed_count, sizeof(*entries), by_hash);
	return entries;
}

/* The first entry of the hash; n: there is none. */
static size_t first_of(const struct mend_entry *entries, size_t n, uint64_t hash)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (entries[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && entries[low].hash == hash ? low : n;
}

/* A failed row of this hash that no row stands for yet; of an object, else the one that several rows stand for. */
static struct mend_row *take(struct mend_entry *entries, size_t n, uint64_t hash, bool shared)
{
	size_t first = hash ? first_of(entries, n, hash) : n;
	if (first == n)
		return NULL;
	struct mend_entry *run = &entries[first];
	size_t at = run->used;
	while (first + at < n && run[at].hash == hash && run[at].row->of)
		at++;
	run->used = at;
	if (first + at < n && run[at].hash == hash)
		return run[at].row->of = run[at].row;
	return shared && run->row->object ? run->row : NULL;
}

static void match_by(struct mends *s, bool identity)
{
	CLEANUP(freep) struct mend_entry *entries = index_of(s, identity);
	for (size_t i = 0; i < s->count; i++) {
		struct mend_row *row = &s->rows[i];
		if (!row->of)
			row->of = take(entries, s->failed_count, identity ? row->identity : row->values, identity);
	}
}

int mends_match(struct mends *s, struct client *c, uint64_t import, uint64_t last, struct err *err)
{
	CLEANUP(freep) char *path = mem_printf("/api/v1/failures?import=%llu", (unsigned long long)import);
	if (client_lines(c, path, NULL, add_failed, s, err) < 0)
		return -1;
	s->last = last;
	match_by(s, false);
	match_by(s, true);
	for (size_t i = 0; s->count == s->failed_count && i < s->count; i++)
		if (!s->rows[i].of && !s->failed[i].of)
			s->rows[i].of = s->failed[i].of = &s->failed[i];
	return 0;
}

bool mends_place(const struct mends *s, size_t n, struct manifest_place *at)
{
	const struct mend_row *of = n < s->count ? s->rows[n].of : NULL;
	if (!of) {
		at->line += s->last;
		return false;
	}
	at->line = of->line;
	at->offset = of->offset;
	return true;
}

void mends_done(struct mends *s)
{
	free(s->rows);
	free(s->failed);
	free(s->column);
	*s = (struct mends){ 0 };
}
