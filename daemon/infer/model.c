/* model.c - opens a card and its model, and takes batches of samples through preprocessing, backend and decoder. */
#include "daemon/infer/model.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/infer/card.h"
#include "daemon/infer/fit.h"
#include "daemon/infer/ngram.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#define READ_BYTES 65536

struct model {
	struct card *card;
	const struct backend_ops *ops;
	struct backend *backend;
	struct ngram *ngram;     /* texts; else NULL */
	struct fit fit;
	struct model_info info;
	float *pixels;           /* images: the network's input, room for `capacity` bytes */
	size_t capacity;
	float *scratch;          /* a number per label */
};

/* Grows, never shrinks; what was in it is lost. */
static float *pixel_room(struct model *m, size_t bytes)
{
	if (bytes > m->capacity) {
		free(m->pixels);
		m->pixels = mem_alloc(bytes);
		m->capacity = bytes;
	}
	return m->pixels;
}

static size_t sample_values(const struct model *m)
{
	return (size_t)m->card->pixels.width * m->card->pixels.height * 3;
}

/* rows >= n where the model's batch is fixed: the rest is zero. */
static struct tensor feed_pixels(struct model *m, const struct sample *samples, size_t n, size_t rows)
{
	const struct pixel_spec *spec = &m->card->pixels;
	size_t values = sample_values(m);
	float *to = pixel_room(m, rows * values * sizeof(*to));
	for (size_t i = 0; i < n; i++)
		preprocess_pixels(&m->card->transform, samples[i].pixels, values / 3, to + i * values);
	memset(to + n * values, 0, (rows - n) * values * sizeof(*to));
	int64_t count = (int64_t)rows, w = spec->width, h = spec->height;
	if (m->card->transform.layout == LAYOUT_NCHW)
		return (struct tensor){ .type = TENSOR_FLOAT32, .rank = 4, .dims = { count, 3, h, w }, .data = to };
	return (struct tensor){ .type = TENSOR_FLOAT32, .rank = 4, .dims = { count, h, w, 3 }, .data = to };
}

static int predict(struct model *m, const float *values, struct prediction *ret, struct err *err)
{
	int count = classify(
		m->card->activation, values, m->card->labels, m->card->label_count, m->scratch, ret->scores, err);
	if (count < 0)
		return -1;
	ret->count = (size_t)count;
	return 0;
}

/* One run of the backend over `rows` rows, of which the first n are samples. */
static int run_rows(
	struct model *m, const struct tensor *inputs, size_t n, size_t rows, struct prediction *ret, struct err *err)
{
	struct tensor outputs[sizeof(((struct backend_info *)0)->outputs) / sizeof(struct tensor_info)];
	if (m->ops->run(m->backend, inputs, outputs, err) < 0)
		return -1;
	const struct tensor *out = &outputs[m->fit.output];
	if (fit_output(m->card, m->ops->describe(m->backend)->outputs[m->fit.output].name, out, rows, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (predict(m, (const float *)out->data + i * m->card->label_count, &ret[i], err) < 0)
			return -1;
	return 0;
}

/* What the model fixed; else as many as the backend likes to see at once. */
static size_t run_samples(const struct model *m)
{
	size_t run_bytes = m->ops->describe(m->backend)->run_bytes, bytes = sample_values(m) * sizeof(float);
	if (m->fit.batch)
		return m->fit.batch;
	if (run_bytes == 0)
		return BATCH_MAX;
	return bytes < run_bytes ? run_bytes / bytes : 1;
}

static int run_images(struct model *m, size_t n, const struct sample *samples, struct prediction *ret, struct err *err)
{
	size_t step = run_samples(m);
	for (size_t at = 0; at < n; at += step) {
		size_t part = n - at < step ? n - at : step, rows = m->fit.batch ? m->fit.batch : part;
		struct tensor input = feed_pixels(m, samples + at, part, rows);
		if (run_rows(m, &input, part, rows, ret + at, err) < 0)
			return -1;
	}
	return 0;
}

/* Texts run one by one: their rows differ in length, and filling them up costs more than a batch saves. */
static int run_text(struct model *m, const struct ngram_features *f, struct prediction *ret, struct err *err)
{
	int64_t width = (int64_t)f->count;
	const struct tensor inputs[2] = {
		{ .type = TENSOR_INT64, .rank = 2, .dims = { 1, width }, .data = f->features },
		{ .type = TENSOR_FLOAT32, .rank = 2, .dims = { 1, width }, .data = f->weights },
	};
	return run_rows(m, inputs, 1, 1, ret, err);
}

static int run_texts(struct model *m, size_t n, const struct sample *samples, struct prediction *ret, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct ngram_features f = ngram_extract(m->ngram, samples[i].text);
		ret[i].count = 0; /* a text in which nothing is known gets no scores */
		if (f.count > 0 && run_text(m, &f, &ret[i], err) < 0)
			return -1;
	}
	return 0;
}

int model_run(struct model *m, size_t n, const struct sample *samples, struct prediction *ret, struct err *err)
{
	assert(n >= 1 && n <= BATCH_MAX);
	int result = (m->card->media == MEDIA_IMAGE ? run_images : run_texts)(m, n, samples, ret, err);
	return result < 0 ? err_wrap(err, "model '%s'", m->card->name) : 0;
}

static int add_file(struct sha256 *h, const char *path, struct err *err)
{
	CLEANUP(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) char *block = mem_alloc(READ_BYTES);
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0) {
		n = read(fd, block, READ_BYTES);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			sha256_add(h, block, (size_t)n);
	}
	return n < 0 ? err_set(err, ERR_RETRY, errno, "read '%s'", path) : 0;
}

/* SHA-256 over the digests of: the card's canonical text, the weights, the n-gram table where there is one. */
static int find_version(const struct card *c, struct content_id *ret, struct err *err)
{
	uint8_t digests[3][SHA256_BYTES];
	size_t count = 1;
	const char *const files[] = { c->file, c->table };
	CLEANUP(sha256_freep) struct sha256 *h = sha256_new();
	CLEANUP(buf_done) struct buf canonical = { 0 };
	card_canonical(c, &canonical);
	sha256_of(h, canonical.data, canonical.len, digests[0]);
	for (size_t i = 0; i < 2 && files[i]; i++) {
		sha256_begin(h);
		if (add_file(h, files[i], err) < 0)
			return -1;
		sha256_end(h, digests[count++]);
	}
	sha256_of(h, digests, count * SHA256_BYTES, ret->sha256);
	return 0;
}

/* One run before the first real one: it shows the dimensions that the model leaves open, a table of another model and
 * an activation that cannot be right, while the card's author is still looking. */
static int probe_image(struct model *m, struct prediction *ret, struct err *err)
{
	size_t bytes = pixel_spec_bytes(&m->card->pixels);
	CLEANUP(freep) uint8_t *grey = mem_alloc(bytes);
	memset(grey, 128, bytes);
	const struct sample sample = { .pixels = grey };
	return run_images(m, 1, &sample, ret, err);
}

static int probe_text(struct model *m, struct prediction *ret, struct err *err)
{
	int64_t last = ngram_feature_count(m->ngram) - 1;
	float weight = 1;
	const struct ngram_features f = { .features = &last, .weights = &weight, .count = 1 };
	return run_text(m, &f, ret, err);
}

static int probe(struct model *m, struct err *err)
{
	CLEANUP(freep) struct prediction *ret = mem_alloc(sizeof(*ret));
	int result = m->card->media == MEDIA_IMAGE ? probe_image(m, ret, err) : probe_text(m, ret, err);
	return result < 0 ? err_wrap(err, "a first run of '%s'", m->card->file) : 0;
}

static void describe(struct model *m)
{
	const struct card *c = m->card;
	m->info.name = c->name;
	m->info.media = c->media;
	m->info.pixels = c->media == MEDIA_IMAGE ? &c->pixels : NULL;
	m->info.labels = c->label_count;
	m->info.runtime = m->ops->describe(m->backend)->runtime;
}

static int load(struct model *m, const struct backend_options *o, struct err *err)
{
	m->ops = backend_find(m->card->backend);
	assert(m->ops); /* card.c knows which there are */
	if (m->card->table && ngram_open(m->card->table, &m->ngram, err) < 0)
		return -1;
	if (m->ops->load(m->card->file, o, &m->backend, err) < 0 ||
	    fit_card(m->card, m->ops->describe(m->backend), &m->fit, err) < 0)
		return -1;
	return find_version(m->card, &m->info.version, err);
}

int model_open(const char *card, const struct backend_options *o, struct model **ret, struct err *err)
{
	CLEANUP(model_closep) struct model *m = mem_zero(1, sizeof(*m));
	if (card_load(card, &m->card, err) < 0)
		return -1;
	m->scratch = mem_zero(m->card->label_count, sizeof(*m->scratch));
	if (load(m, o, err) < 0 || probe(m, err) < 0)
		return err_wrap(err, "model '%s'", m->card->name);
	describe(m);
	*ret = TAKE_PTR(m);
	return 0;
}

void model_close(struct model *m)
{
	if (!m)
		return;
	if (m->backend)
		m->ops->close(m->backend);
	ngram_free(m->ngram);
	card_free(m->card);
	free(m->pixels);
	free(m->scratch);
	free(m);
}

const struct model_info *model_info(const struct model *m)
{
	return &m->info;
}

bool model_has_label(const struct model *m, const char *label, const char **ret_near)
{
	const struct card *c = m->card;
	for (size_t i = 0; i < c->label_count; i++)
		if (strcmp(c->labels[i], label) == 0)
			return true;
	CLEANUP(freep) const char **all = mem_zero(c->label_count + 1, sizeof(*all));
	memcpy(all, c->labels, c->label_count * sizeof(*all));
	*ret_near = text_nearest(label, all);
	return false;
}
