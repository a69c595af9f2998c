/* onnx.c - the backend "onnx": ONNX Runtime in this process.
 *
 * The session is set up for a daemon on shared cores: the number of threads is always given (without it ONNX Runtime
 * takes every core, ignores cgroups and calls sched_setaffinity, which the service's sandbox kills), idle threads sleep
 * instead of spinning, and neither arena nor memory pattern keeps the largest batch's memory for ever. */
#include "daemon/infer/backend.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/infer/onnx_library.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define INPUTS_MAX (sizeof(((struct backend_info *)0)->inputs) / sizeof(struct tensor_info))
#define OUTPUTS_MAX (sizeof(((struct backend_info *)0)->outputs) / sizeof(struct tensor_info))

/* On a processor a larger batch computes no faster, and its intermediate tensors, some ten times the input, leave what
 * malloc keeps for reuse (32 MiB at most): each run then pays for fresh zeroed pages, 40 % more time at 32 pictures of
 * 224 x 224. */
#define RUN_BYTES (3U << 20)

struct backend {
	const struct onnx_library *lib;
	ort_session *session;
	struct backend_info info;
	ort_value *outputs[OUTPUTS_MAX]; /* of the last run: what ret_outputs points into */
};

static enum tensor_type type_of(int element)
{
	switch (element) {
	case ORT_FLOAT:
		return TENSOR_FLOAT32;
	case ORT_UINT8:
		return TENSOR_UINT8;
	case ORT_INT32:
		return TENSOR_INT32;
	case ORT_INT64:
		return TENSOR_INT64;
	default:
		return TENSOR_OTHER;
	}
}

static int element_of(enum tensor_type type, size_t *ret_bytes)
{
	static const struct {
		int element;
		size_t bytes;
	} elements[] = {
		[TENSOR_FLOAT32] = { ORT_FLOAT, 4 },
		[TENSOR_UINT8] = { ORT_UINT8, 1 },
		[TENSOR_INT32] = { ORT_INT32, 4 },
		[TENSOR_INT64] = { ORT_INT64, 8 },
	};
	assert(type >= TENSOR_FLOAT32 && type < TENSOR_OTHER);
	*ret_bytes = elements[type].bytes;
	return elements[type].element;
}

static int read_shape(const struct onnx_library *lib, const ort_shape *shape, enum tensor_type *type, size_t *rank,
	int64_t dims[TENSOR_RANK_MAX], struct err *err)
{
	int element;
	if (onnx_check(lib, lib->api.GetTensorElementType(shape, &element), ERR_REJECT, err) < 0 ||
	    onnx_check(lib, lib->api.GetDimensionsCount(shape, rank), ERR_REJECT, err) < 0)
		return -1;
	if (*rank > TENSOR_RANK_MAX)
		return err_set(err, ERR_REJECT, 0, "a tensor of %zu dimensions; at most %d are supported", *rank,
			TENSOR_RANK_MAX);
	*type = type_of(element);
	return onnx_check(lib, lib->api.GetDimensions(shape, dims, *rank), ERR_REJECT, err);
}

/* Sequences and maps have no shape; they are TENSOR_OTHER, which nobody can feed or read. */
static int describe_type(
	const struct onnx_library *lib, const ort_type *type, struct tensor_info *info, struct err *err)
{
	int kind;
	const ort_shape *shape; /* part of type */
	if (onnx_check(lib, lib->api.GetOnnxTypeFromTypeInfo(type, &kind), ERR_REJECT, err) < 0)
		return -1;
	info->type = TENSOR_OTHER;
	if (kind != ORT_TENSOR)
		return 0;
	if (onnx_check(lib, lib->api.CastTypeInfoToTensorInfo(type, &shape), ERR_REJECT, err) < 0)
		return -1;
	return read_shape(lib, shape, &info->type, &info->rank, info->dims, err);
}

/* Inputs and outputs differ in three calls only. */
struct side {
	const char *name;
	ort_status *(*count)(const ort_session *, size_t *);
	ort_status *(*name_of)(const ort_session *, size_t, ort_allocator *, char **);
	ort_status *(*type_of)(const ort_session *, size_t, ort_type **);
};

static int describe_one(struct backend *b, const struct side *side, size_t i, struct tensor_info *info, struct err *err)
{
	const struct ort_api *api = &b->lib->api;
	char *name;
	ort_type *type;
	if (onnx_check(b->lib, side->name_of(b->session, i, b->lib->allocator, &name), ERR_REJECT, err) < 0)
		return -1;
	int len = snprintf(info->name, sizeof(info->name), "%s", name);
	api->ReleaseStatus(api->AllocatorFree(b->lib->allocator, name));
	if (len >= (int)sizeof(info->name))
		return err_set(err, ERR_REJECT, 0, "the name of %s '%s...' is longer than %zu bytes", side->name,
			info->name, sizeof(info->name) - 1);
	if (onnx_check(b->lib, side->type_of(b->session, i, &type), ERR_REJECT, err) < 0)
		return -1;
	int result = describe_type(b->lib, type, info, err);
	api->ReleaseTypeInfo(type);
	return result < 0 ? err_wrap(err, "%s '%s'", side->name, info->name) : 0;
}

static int describe_side(struct backend *b, const struct side *side, struct tensor_info *infos, size_t max,
	size_t *ret_count, struct err *err)
{
	size_t count;
	if (onnx_check(b->lib, side->count(b->session, &count), ERR_REJECT, err) < 0)
		return -1;
	if (count > max)
		return err_set(err, ERR_REJECT, 0, "it has %zu %ss; at most %zu are supported", count, side->name, max);
	for (size_t i = 0; i < count; i++)
		if (describe_one(b, side, i, &infos[i], err) < 0)
			return -1;
	*ret_count = count;
	return 0;
}

static int describe_session(struct backend *b, struct err *err)
{
	const struct ort_api *api = &b->lib->api;
	const struct side in = { "input", api->SessionGetInputCount, api->SessionGetInputName,
		api->SessionGetInputTypeInfo };
	const struct side out = { "output", api->SessionGetOutputCount, api->SessionGetOutputName,
		api->SessionGetOutputTypeInfo };
	b->info.run_bytes = RUN_BYTES;
	memcpy(b->info.runtime, b->lib->runtime, sizeof(b->info.runtime));
	if (describe_side(b, &in, b->info.inputs, INPUTS_MAX, &b->info.input_count, err) < 0)
		return -1;
	return describe_side(b, &out, b->info.outputs, OUTPUTS_MAX, &b->info.output_count, err);
}

static int set_options(const struct onnx_library *lib, ort_options *to, int threads, struct err *err)
{
	static const char allow_spinning[] = "session.intra_op.allow_spinning";
	const struct ort_api *api = &lib->api;
	if (onnx_check(lib, api->SetIntraOpNumThreads(to, threads), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->SetInterOpNumThreads(to, 1), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->SetSessionExecutionMode(to, ORT_SEQUENTIAL), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->AddSessionConfigEntry(to, allow_spinning, "0"), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->DisableCpuMemArena(to), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->DisableMemPattern(to), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->SetSessionLogSeverityLevel(to, ORT_LEVEL_WARNING), ERR_RETRY, err) < 0)
		return -1;
	return onnx_check(lib, api->SetSessionGraphOptimizationLevel(to, ORT_OPTIMIZE_ALL), ERR_RETRY, err);
}

static int open_session(struct backend *b, const char *file, int threads, struct err *err)
{
	const struct onnx_library *lib = b->lib;
	ort_options *options;
	if (onnx_check(lib, lib->api.CreateSessionOptions(&options), ERR_RETRY, err) < 0)
		return -1;
	int result = set_options(lib, options, threads, err);
	if (result == 0)
		result = onnx_check(lib, lib->api.CreateSession(lib->env, file, options, &b->session), ERR_REJECT, err);
	lib->api.ReleaseSessionOptions(options);
	return result;
}

/* Asked before ONNX Runtime is, whose words for a missing file name no cure. */
static int require_file(const char *file, struct err *err)
{
	CLEANUP(close_fdp) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_RETRY, errno,
			"model file '%s' (the default models: make models; else see `file:` in the card)", file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_REJECT, 0, "model file '%s' is not a regular file", file);
	return 0;
}

static void onnx_close(struct backend *b);
CLEANUP_FN(struct backend *, onnx_close)

static int onnx_load(const char *file, const struct backend_options *o, struct backend **ret, struct err *err)
{
	assert(o->threads >= 1);
	const struct onnx_library *lib;
	if (require_file(file, err) < 0 || onnx_library_get(o->library, &lib, err) < 0)
		return -1;
	CLEANUP(onnx_closep) struct backend *b = mem_zero(1, sizeof(*b));
	b->lib = lib;
	if (open_session(b, file, o->threads, err) < 0 || describe_session(b, err) < 0)
		return err_wrap(err, "model file '%s' cannot be run by %s (damaged? get it again; the default ones: make models)", file,
			lib->runtime);
	*ret = TAKE_PTR(b);
	return 0;
}

static const struct backend_info *onnx_describe(const struct backend *b)
{
	return &b->info;
}

static void release_values(const struct backend *b, ort_value **values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (values[i])
			b->lib->api.ReleaseValue(TAKE_PTR(values[i]));
}

static int wrap_input(const struct backend *b, const struct tensor *t, ort_value **ret, struct err *err)
{
	size_t bytes;
	int element = element_of(t->type, &bytes);
	for (size_t i = 0; i < t->rank; i++)
		bytes *= (size_t)t->dims[i];
	ort_status *status = b->lib->api.CreateTensorWithDataAsOrtValue(
		b->lib->memory, t->data, bytes, t->dims, t->rank, element, ret);
	return onnx_check(b->lib, status, ERR_REJECT, err);
}

static int read_output(const struct backend *b, ort_value *value, struct tensor *ret, struct err *err)
{
	const struct ort_api *api = &b->lib->api;
	*ret = (struct tensor){ .type = TENSOR_OTHER };
	int is_tensor = 0;
	if (onnx_check(b->lib, api->IsTensor(value, &is_tensor), ERR_REJECT, err) < 0)
		return -1;
	if (!is_tensor)
		return 0;
	ort_shape *shape;
	if (onnx_check(b->lib, api->GetTensorTypeAndShape(value, &shape), ERR_REJECT, err) < 0)
		return -1;
	int result = read_shape(b->lib, shape, &ret->type, &ret->rank, ret->dims, err);
	api->ReleaseTensorTypeAndShapeInfo(shape);
	if (result < 0 || ret->type == TENSOR_OTHER)
		return result;
	return onnx_check(b->lib, api->GetTensorMutableData(value, &ret->data), ERR_REJECT, err);
}

/* A sample that the graph refuses will be refused again; anything else (memory, a thread) may go well next time. */
static int run_failed(const struct backend *b, ort_status *status, struct err *err)
{
	int code = b->lib->api.GetErrorCode(status);
	bool refused = code == ORT_INVALID_ARGUMENT || code == ORT_NOT_IMPLEMENTED;
	return onnx_check(b->lib, status, refused ? ERR_REJECT : ERR_RETRY, err);
}

static int run_session(struct backend *b, ort_value *const *inputs, struct err *err)
{
	const char *in[INPUTS_MAX], *out[OUTPUTS_MAX];
	for (size_t i = 0; i < b->info.input_count; i++)
		in[i] = b->info.inputs[i].name;
	for (size_t i = 0; i < b->info.output_count; i++)
		out[i] = b->info.outputs[i].name;
	ort_status *status = b->lib->api.Run(b->session, NULL, in, (const ort_value *const *)inputs,
		b->info.input_count, out, b->info.output_count, b->outputs);
	return status ? run_failed(b, status, err) : 0;
}

static int onnx_run(struct backend *b, const struct tensor *inputs, struct tensor *ret_outputs, struct err *err)
{
	ort_value *values[INPUTS_MAX] = { 0 };
	struct tensor outputs[OUTPUTS_MAX];
	release_values(b, b->outputs, OUTPUTS_MAX);
	int result = 0;
	for (size_t i = 0; i < b->info.input_count && result == 0; i++)
		result = wrap_input(b, &inputs[i], &values[i], err);
	if (result == 0)
		result = run_session(b, values, err);
	release_values(b, values, INPUTS_MAX);
	for (size_t i = 0; i < b->info.output_count && result == 0; i++)
		result = read_output(b, b->outputs[i], &outputs[i], err);
	if (result == 0)
		memcpy(ret_outputs, outputs, b->info.output_count * sizeof(*outputs));
	return result;
}

static void onnx_close(struct backend *b)
{
	if (!b)
		return;
	release_values(b, b->outputs, OUTPUTS_MAX);
	if (b->session)
		b->lib->api.ReleaseSession(b->session);
	free(b);
}

const struct backend_ops onnx_backend = {
	.name = "onnx",
	.load = onnx_load,
	.describe = onnx_describe,
	.run = onnx_run,
	.close = onnx_close,
};
