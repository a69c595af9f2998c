/* backend.h - what runs a model: tensors in, tensors out. Backends: "onnx" (onnx.c). A backend knows nothing of
 * pictures, texts, labels or bands: model.h does. */
#ifndef INLET_INFER_BACKEND_H
#define INLET_INFER_BACKEND_H

#include "daemon/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TENSOR_RANK_MAX 8
enum tensor_type { TENSOR_FLOAT32 = 1, TENSOR_UINT8, TENSOR_INT32, TENSOR_INT64, TENSOR_OTHER };
struct tensor_info {
	char name[128];
	enum tensor_type type;
	size_t rank;
	int64_t dims[TENSOR_RANK_MAX]; /* -1: any */
};
struct backend_info {
	struct tensor_info inputs[4], outputs[8];
	size_t input_count, output_count;
	size_t run_bytes; /* inputs of one run go best below this: larger batches are run in parts; 0: any */
	char runtime[64]; /* "ONNX Runtime 1.21.0" */
};
struct tensor { /* dense, row-major */
	enum tensor_type type;
	size_t rank;
	int64_t dims[TENSOR_RANK_MAX];
	void *data;       /* input: the caller's; output: the backend's, valid until the next run() or close() */
};
struct backend_options {
	const char *library; /* ONNX Runtime to dlopen; NULL: search (onnx.c says where) */
	int threads;         /* >= 1, always set explicitly */
};
struct backend;
struct backend_ops {
	const char *name;
	/* ERR_RETRY: file or library missing, with the cure; ERR_REJECT: not a model that this backend can run. */
	int (*load)(const char *file, const struct backend_options *o, struct backend **ret, struct err *err);
	const struct backend_info *(*describe)(const struct backend *b);
	/* inputs in describe() order; outputs likewise, as many as describe() says. Not thread-safe. */
	int (*run)(struct backend *b, const struct tensor *inputs, struct tensor *ret_outputs, struct err *err);
	void (*close)(struct backend *b); /* NULL allowed */
};
extern const struct backend_ops onnx_backend;
const struct backend_ops *backend_find(const char *name);

#endif
