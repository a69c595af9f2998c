/* ngram.c - reads an n-gram table and walks texts through its automaton. */
#include "daemon/infer/ngram.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "daemon/infer/capitals.h"

#include <endian.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#define MAGIC "INLETNG1"
#define HEADER_BYTES 16U
#define STATE_BYTES 9U

struct ngram {
	uint32_t states, features;
	uint32_t *first;     /* [states + 1]: the children of s are first[s]..first[s + 1] - 1 */
	uint32_t *fail; /* the longest proper ending of s that is a state; smaller than s, so that falling back ends */
	int32_t *feature;
	uint8_t *byte;
	uint32_t root[256];  /* the child of the root by byte, or the root */
	uint32_t *counts;    /* [features], zero between texts */
	int64_t *found;      /* the text's features, room for found_cap */
	float *weights;
	size_t found_cap;
};
CLEANUP_FN(struct ngram *, ngram_free)

static uint32_t get_u32(const char *p)
{
	uint32_t n;
	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static uint32_t child(const struct ngram *g, uint32_t s, uint8_t byte)
{
	uint32_t low = g->first[s], high = g->first[s + 1];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (g->byte[middle] < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->first[s + 1] && g->byte[low] == byte ? low : 0;
}

static uint32_t step(const struct ngram *g, uint32_t s, uint8_t byte)
{
	while (s != 0) {
		uint32_t next = child(g, s, byte);
		if (next)
			return next;
		s = g->fail[s];
	}
	return g->root[byte];
}

/* The order of states is what makes everything else safe: see the header. */
static int check_state(
	const struct ngram *g, uint32_t s, uint32_t parent, uint32_t before, const char *name, struct err *err)
{
	bool ordered = parent < s && parent >= before && (parent > before || s == 1 || g->byte[s] > g->byte[s - 1]);
	if (!ordered)
		return err_set(
			err, ERR_REJECT, 0, "'%s': state %u is out of order; the n-gram table is damaged", name, s);
	return 0;
}

static int read_states(struct ngram *g, const char *parents, const char *name, struct err *err)
{
	uint32_t before = 0;
	g->first[0] = 1;
	for (uint32_t s = 1; s < g->states; s++) {
		uint32_t parent = get_u32(parents + (size_t)s * 4);
		if (check_state(g, s, parent, before, name, err) < 0)
			return -1;
		for (; before < parent; before++)
			g->first[before + 1] = s;
	}
	for (; before < g->states; before++)
		g->first[before + 1] = g->states;
	return 0;
}

static int read_features(struct ngram *g, const char *features, const char *name, struct err *err)
{
	for (uint32_t s = 0; s < g->states; s++) {
		g->feature[s] = (int32_t)get_u32(features + (size_t)s * 4);
		if (g->feature[s] < -1 || g->feature[s] >= (int32_t)g->features - 1)
			return err_set(err, ERR_REJECT, 0,
				"'%s': state %u has feature %d of %u; the n-gram table is damaged", name, s,
				g->feature[s], g->features);
	}
	return 0;
}

/* Breadth first, so that a state's fallback is complete before its children need it. */
static void link_states(struct ngram *g)
{
	for (uint32_t c = g->first[0]; c < g->first[1]; c++)
		g->root[g->byte[c]] = c;
	for (uint32_t s = 1; s < g->states; s++)
		for (uint32_t c = g->first[s]; c < g->first[s + 1]; c++)
			g->fail[c] = step(g, g->fail[s], g->byte[c]);
}

static struct ngram *ngram_new(uint32_t states, uint32_t features)
{
	struct ngram *g = mem_zero(1, sizeof(*g));
	g->states = states;
	g->features = features;
	g->first = mem_zero((size_t)states + 1, sizeof(*g->first));
	g->fail = mem_zero(states, sizeof(*g->fail));
	g->feature = mem_zero(states, sizeof(*g->feature));
	g->byte = mem_zero(states, sizeof(*g->byte));
	g->counts = mem_zero(features, sizeof(*g->counts));
	return g;
}

int ngram_parse(const char *name, struct slice bytes, struct ngram **ret, struct err *err)
{
	if (bytes.len < HEADER_BYTES || memcmp(bytes.p, MAGIC, strlen(MAGIC)) != 0)
		return err_set(err, ERR_REJECT, 0, "'%s' is not an n-gram table: it does not begin with " MAGIC, name);
	uint32_t states = get_u32(bytes.p + 8), features = get_u32(bytes.p + 12);
	if (states < 1 || states > NGRAM_STATES_MAX || features < 1 || features > NGRAM_FEATURES_MAX)
		return err_set(err, ERR_REJECT, 0, "'%s': %u states and %u features; 1 to %u are possible", name,
			states, features, NGRAM_STATES_MAX);
	if (bytes.len != HEADER_BYTES + (size_t)states * STATE_BYTES)
		return err_set(err, ERR_REJECT, 0,
			"'%s': %zu bytes where %u states take %zu; the n-gram table is cut or damaged", name, bytes.len,
			states, HEADER_BYTES + (size_t)states * STATE_BYTES);
	CLEANUP(ngram_freep) struct ngram *g = ngram_new(states, features);
	const char *parents = bytes.p + HEADER_BYTES, *feature = parents + (size_t)states * 4;
	memcpy(g->byte, feature + (size_t)states * 4, states);
	if (read_states(g, parents, name, err) < 0 || read_features(g, feature, name, err) < 0)
		return -1;
	link_states(g);
	*ret = TAKE_PTR(g);
	return 0;
}

int ngram_open(const char *file, struct ngram **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	if (file_slurp(AT_FDCWD, file, HEADER_BYTES + (size_t)NGRAM_STATES_MAX * STATE_BYTES, &bytes, err) < 0)
		return err_wrap(err, "n-gram table (the default models: make models)");
	return ngram_parse(file, buf_slice(&bytes), ret, err);
}

void ngram_free(struct ngram *g)
{
	if (!g)
		return;
	free(g->first);
	free(g->fail);
	free(g->feature);
	free(g->byte);
	free(g->counts);
	free(g->found);
	free(g->weights);
	free(g);
}

uint32_t ngram_feature_count(const struct ngram *g)
{
	return g->features;
}

/* A text has at most one feature a byte, and the one for itself. */
static void make_room(struct ngram *g, size_t n)
{
	if (n <= g->found_cap)
		return;
	g->found = mem_resize(g->found, n, sizeof(*g->found));
	g->weights = mem_resize(g->weights, n, sizeof(*g->weights));
	g->found_cap = n;
}

static size_t count_features(struct ngram *g, struct slice text)
{
	size_t n = 0;
	uint32_t s = 0;
	for (size_t i = 0; i < text.len; i++) {
		s = step(g, s, (uint8_t)text.p[i]);
		int32_t f = g->feature[s];
		if (f >= 0 && g->counts[f]++ == 0)
			g->found[n++] = f;
	}
	return n;
}

struct ngram_features ngram_extract(struct ngram *g, struct slice text)
{
	CLEANUP(buf_done) struct buf lower = { 0 };
	if (capitals_lower(text, &lower))
		text = buf_slice(&lower);
	make_room(g, text.len + 1);
	size_t n = count_features(g, text);
	if (n == 0)
		return (struct ngram_features){ 0 };
	float scale = 1 / sqrtf((float)text.len);
	for (size_t i = 0; i < n; i++) {
		g->weights[i] = log1pf((float)g->counts[g->found[i]]) * scale;
		g->counts[g->found[i]] = 0;
	}
	g->found[n] = g->features - 1;
	g->weights[n] = scale;
	return (struct ngram_features){ .features = g->found, .weights = g->weights, .count = n + 1 };
}
