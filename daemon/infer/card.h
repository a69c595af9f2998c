/* card.h - a model card: the YAML file that says which model to run, what it wants to see and what its numbers mean.
 *
 *   name: image-default            # of the model in annotations; letters, digits, . _ -
 *   file: image-default.onnx       # weights; paths are relative to the card
 *   backend: onnx
 *   media: image                   # or text
 *   labels: image-default.labels   # a file of one label a line, or a list; as many as the model has classes
 *   input:                         # media: image
 *     { width: 224, height: 224, fit: crop, crop: 0.875, kernel: bicubic, pad: 114,
 *       layout: nchw, color: rgb, mean: [127, 127, 127], std: 128 }     # (byte - mean) / std, or * scale
 *   text: { features: ngram, table: text-default.ngram.bin }             # media: text
 *   output: { task: classify, activation: softmax, name: logits }        # name: where a model has several outputs
 *   bands: { accept: 0.8, review: 0.3 }                                  # read by the configuration, not here */
#ifndef INLET_INFER_CARD_H
#define INLET_INFER_CARD_H

#include "daemon/infer/classify.h"
#include "daemon/infer/preprocess.h"
#include "daemon/model/input.h"

#define LABELS_MAX 65536
#define LABEL_BYTES_MAX 256

struct card {
	char *path;               /* of the card, absolute */
	char *name;
	char *file;               /* absolute */
	const char *backend;
	enum media media;         /* MEDIA_IMAGE or MEDIA_TEXT */
	char **labels;            /* all different, not empty */
	size_t label_count;
	struct pixel_spec pixels;            /* images */
	struct pixel_transform transform;
	char *table;              /* texts: n-gram table, absolute; else NULL */
	enum activation activation;
	char *output;             /* NULL: the model has only one */
};

/* ERR_RETRY: card or labels cannot be read; ERR_REJECT: "CARD:LINE:COLUMN: key: reason". The caller owns *ret. */
int card_load(const char *path, struct card **ret, struct err *err);
int card_parse(const char *path, struct slice yaml, struct card **ret, struct err *err); /* path: as if read there */
void card_free(struct card *c); /* NULL allowed */
/* What of the card decides the model's answers, and its name: equal meaning, equal text, whatever the YAML looked like.
 * Neither bands nor paths are in it. */
void card_canonical(const struct card *c, struct buf *to);

#endif
