/* onnx_library.h - the ONNX Runtime library: found, loaded and set up once a process, and never unloaded. */
#ifndef INLET_INFER_ONNX_LIBRARY_H
#define INLET_INFER_ONNX_LIBRARY_H

#include "daemon/base/err.h"
#include "daemon/infer/onnx_api.h"

struct onnx_library {
	struct ort_api api;
	ort_env *env;
	ort_memory *memory;       /* "main memory", for tensors that are ours */
	ort_allocator *allocator; /* frees the names that it hands out */
	char runtime[64];         /* "ONNX Runtime 1.21.0" */
};

/* The first call decides which library this process has: path if it is not NULL; else $ORT_DYLIB_PATH; else the
 * system's (libonnxruntime.so.1, .so, then Debian's libonnxruntime.so.1.N); else the one that `make models` put in
 * <folder of the program>/lib/ or "make install" in PREFIX/lib/inlet/. A failed call decides nothing. Any thread.
 * ERR_RETRY: none found, with the places that were tried and how to get one. */
int onnx_library_get(const char *path, const struct onnx_library **ret, struct err *err);
/* NULL status: 0. Else err gets what it says, of this class, the status is released, -1. */
int onnx_check(const struct onnx_library *lib, ort_status *status, enum err_class class, struct err *err);

#endif
