/* model.h - a model card made runnable: samples in, scores per concept out. */
#ifndef INLET_INFER_MODEL_H
#define INLET_INFER_MODEL_H

#include "daemon/base/cleanup.h"
#include "daemon/infer/backend.h"
#include "daemon/model/content_id.h"
#include "daemon/model/input.h"
#include "daemon/model/record.h"

#define BATCH_MAX 128

struct model;

struct model_info {
	const char *name;                 /* from the card; unique in a configuration */
	enum media media;                 /* MEDIA_IMAGE or MEDIA_TEXT */
	struct content_id version;        /* SHA-256 of weights, card without bands, and side files */
	const struct pixel_spec *pixels;  /* images: what the decoder must hand over; NULL for text */
	size_t labels;
	const char *runtime;
};

/* card: path of the YAML card. Errors name card or model file, the reason (dimensions that do not fit, missing file,
 * wrong key with line) and the cure. ERR_RETRY: a file is missing; ERR_REJECT: card and model do not fit. */
int model_open(const char *card, const struct backend_options *o, struct model **ret, struct err *err);
void model_close(struct model *m); /* NULL allowed */
CLEANUP_FN(struct model *, model_close)
const struct model_info *model_info(const struct model *m);
/* Is it one of the labels? Where not, *ret_near is the one that was perhaps meant; NULL: none is near. */
bool model_has_label(const struct model *m, const char *label, const char **ret_near);

struct sample {
	const uint8_t *pixels;  /* images: pixel_spec_bytes() as the spec says */
	struct slice text;      /* text: canonical UTF-8, at most TEXT_INPUT_MAX */
};
/* scores per sample: >= 0.01, best first, at most SCORES_MAX; concept slices point into the model and live as long as
 * it. */
struct prediction {
	struct score scores[SCORES_MAX];
	size_t count;
};
/* n in 1..BATCH_MAX. Not thread-safe: one caller at a time. ERR_REJECT with n 1: this sample cannot be scored. */
int model_run(struct model *m, size_t n, const struct sample *samples, struct prediction *ret, struct err *err);

#endif
