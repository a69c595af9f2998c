/* ngram.h - text features: how often each known byte n-gram occurs in a text, for models that read texts so.
 *
 * A table is the trie of the n-grams. Reading a text byte by byte, the state is the longest n-gram of the trie, or
 * beginning of one, that ends here (Aho-Corasick); a state that carries a feature counts it once each time it is
 * reached.
 *
 * The file, all integers little-endian:
 *   "INLETNG1"  u32 states  u32 features
 *   u32 parent[states]    states are numbered breadth first: parents ascend and come before their children; state 0 is
 *                         the root, its parent 0
 *   i32 feature[states]   0..features-2, or -1: none
 *   u8  byte[states]      from parent to state; ascends among the children of one parent; 0 for the root
 * The last feature, features-1, is no n-gram: it stands for the text itself (a model's prior).
 *
 * Weights: a feature that occurs n times weighs log(1 + n) / sqrt(text bytes), the text itself 1 / sqrt(text bytes).
 * The logarithm keeps one repeated word from deciding; the root keeps a classifier's confidence comparable between
 * short and long texts, where the plain sum of log probabilities grows with the length until every answer is 0 or 1.
 *
 * A text all in capitals is read in lower case: n-grams are learned from ordinary text. */
#ifndef INLET_INFER_NGRAM_H
#define INLET_INFER_NGRAM_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#include <stdint.h>

#define NGRAM_STATES_MAX (1U << 22)
#define NGRAM_FEATURES_MAX (1U << 22)

struct ngram; /* not thread-safe: it holds the counts of the text at hand */
struct ngram_features {
	int64_t *features; /* each once, in order of first occurrence; the text itself last */
	float *weights;
	size_t count;      /* 0: the text holds no known n-gram */
};

/* ERR_RETRY: the file cannot be read. ERR_REJECT: it is not a table. */
int ngram_open(const char *file, struct ngram **ret, struct err *err);
int ngram_parse(const char *name, struct slice bytes, struct ngram **ret, struct err *err); /* name: for messages */
void ngram_free(struct ngram *g);                     /* NULL allowed */
uint32_t ngram_feature_count(const struct ngram *g);  /* the text itself included */
/* text: UTF-8, at most TEXT_INPUT_MAX. The result is g's, valid until the next call. Linear in the text. */
struct ngram_features ngram_extract(struct ngram *g, struct slice text);

#endif
