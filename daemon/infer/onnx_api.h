/* onnx_api.h - the part of ONNX Runtime's C interface that we call: our own declaration of its function table by index.
 *
 * The library exports one symbol, OrtGetApiBase. GetApi(version) gives a table of function pointers whose order never
 * changes and which only grows, so that a library of version 1.N serves every table version up to N. Ours is the lowest
 * that holds all that we call. A call that returns a status returns NULL when it went well; else the status is the
 * caller's to release. Names and indices are the interface's facts; nothing here is copied from its header. */
#ifndef INLET_INFER_ONNX_API_H
#define INLET_INFER_ONNX_API_H

#include <stddef.h>
#include <stdint.h>

#define ORT_API_WANTED 11 /* ONNX Runtime 1.11 and later */

typedef struct ort_status ort_status;
typedef struct ort_env ort_env;
typedef struct ort_options ort_options;
typedef struct ort_session ort_session;
typedef struct ort_value ort_value;
typedef struct ort_type ort_type;
typedef struct ort_shape ort_shape; /* element type and dimensions of a tensor */
typedef struct ort_memory ort_memory;
typedef struct ort_allocator ort_allocator;

enum ort_code { ORT_NO_SUCH_FILE = 3, ORT_INVALID_ARGUMENT = 2, ORT_NOT_IMPLEMENTED = 9 };
enum ort_kind { ORT_TENSOR = 1 };
enum ort_element { ORT_FLOAT = 1, ORT_UINT8 = 2, ORT_INT32 = 6, ORT_INT64 = 7 };
enum ort_allocator_kind { ORT_DEVICE_ALLOCATOR = 0 };
enum ort_memory_kind { ORT_MEMORY_DEFAULT = 0 };
enum ort_level { ORT_LEVEL_WARNING = 2 };
enum ort_mode { ORT_SEQUENTIAL = 0 };
enum ort_optimize { ORT_OPTIMIZE_ALL = 99 };

typedef void ort_log_fn(void *arg, int level, const char *category, const char *id, const char *where,
	const char *text);

struct ort_base {
	const void *const *(*get_api)(uint32_t version);
	const char *(*version)(void);
};
typedef const struct ort_base *ort_get_base_fn(void);

/* X(index in the table, name, type) */
#define ORT_CALLS(X)                                                                                            \
	X(1, GetErrorCode, int (*)(const ort_status *))                                                         \
	X(2, GetErrorMessage, const char *(*)(const ort_status *))                                              \
	X(4, CreateEnvWithCustomLogger, ort_status *(*)(ort_log_fn *, void *, int, const char *,                \
	  ort_env **))                                                                                          \
	X(6, DisableTelemetryEvents, ort_status *(*)(const ort_env *))                                          \
	X(7, CreateSession, ort_status *(*)(const ort_env *, const char *, const ort_options *,                 \
	  ort_session **))                                                                                      \
	X(9, Run, ort_status *(*)(ort_session *, const void *, const char *const *,                             \
	  const ort_value *const *, size_t, const char *const *, size_t, ort_value **))                         \
	X(10, CreateSessionOptions, ort_status *(*)(ort_options **))                                            \
	X(13, SetSessionExecutionMode, ort_status *(*)(ort_options *, int))                                     \
	X(17, DisableMemPattern, ort_status *(*)(ort_options *))                                                \
	X(19, DisableCpuMemArena, ort_status *(*)(ort_options *))                                               \
	X(22, SetSessionLogSeverityLevel, ort_status *(*)(ort_options *, int))                                  \
	X(23, SetSessionGraphOptimizationLevel, ort_status *(*)(ort_options *, int))                            \
	X(24, SetIntraOpNumThreads, ort_status *(*)(ort_options *, int))                                        \
	X(25, SetInterOpNumThreads, ort_status *(*)(ort_options *, int))                                        \
	X(30, SessionGetInputCount, ort_status *(*)(const ort_session *, size_t *))                             \
	X(31, SessionGetOutputCount, ort_status *(*)(const ort_session *, size_t *))                            \
	X(33, SessionGetInputTypeInfo, ort_status *(*)(const ort_session *, size_t, ort_type **))               \
	X(34, SessionGetOutputTypeInfo, ort_status *(*)(const ort_session *, size_t, ort_type **))              \
	X(36, SessionGetInputName, ort_status *(*)(const ort_session *, size_t, ort_allocator *, char **))      \
	X(37, SessionGetOutputName, ort_status *(*)(const ort_session *, size_t, ort_allocator *, char **))     \
	X(49, CreateTensorWithDataAsOrtValue, ort_status *(*)(const ort_memory *, void *, size_t,               \
	  const int64_t *, size_t, int, ort_value **))                                                          \
	X(50, IsTensor, ort_status *(*)(const ort_value *, int *))                                              \
	X(51, GetTensorMutableData, ort_status *(*)(ort_value *, void **))                                      \
	X(55, CastTypeInfoToTensorInfo, ort_status *(*)(const ort_type *, const ort_shape **))                  \
	X(56, GetOnnxTypeFromTypeInfo, ort_status *(*)(const ort_type *, int *))                                \
	X(60, GetTensorElementType, ort_status *(*)(const ort_shape *, int *))                                  \
	X(61, GetDimensionsCount, ort_status *(*)(const ort_shape *, size_t *))                                 \
	X(62, GetDimensions, ort_status *(*)(const ort_shape *, int64_t *, size_t))                             \
	X(65, GetTensorTypeAndShape, ort_status *(*)(const ort_value *, ort_shape **))                          \
	X(69, CreateCpuMemoryInfo, ort_status *(*)(int, int, ort_memory **))                                    \
	X(76, AllocatorFree, ort_status *(*)(ort_allocator *, void *))                                          \
	X(78, GetAllocatorWithDefaultOptions, ort_status *(*)(ort_allocator **))                                \
	X(92, ReleaseEnv, void (*)(ort_env *))                                                                  \
	X(93, ReleaseStatus, void (*)(ort_status *))                                                            \
	X(94, ReleaseMemoryInfo, void (*)(ort_memory *))                                                        \
	X(95, ReleaseSession, void (*)(ort_session *))                                                          \
	X(96, ReleaseValue, void (*)(ort_value *))                                                              \
	X(98, ReleaseTypeInfo, void (*)(ort_type *))                                                            \
	X(99, ReleaseTensorTypeAndShapeInfo, void (*)(ort_shape *))                                             \
	X(100, ReleaseSessionOptions, void (*)(ort_options *))                                                  \
	X(130, AddSessionConfigEntry, ort_status *(*)(ort_options *, const char *, const char *))

struct ort_api {
#define ORT_MEMBER(index, name, type) __typeof__(type)(name);
	ORT_CALLS(ORT_MEMBER)
#undef ORT_MEMBER
};

#endif
