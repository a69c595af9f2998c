/* onnx_library.c - finds and loads ONNX Runtime with dlopen. Never unloaded: its thread pools would outlive it. */
#include "daemon/infer/onnx_library.h"

#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/infer/onnx_cerr.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define MINOR_MAX 64 /* Debian's file names carry the minor version: 1.11 (our table) to 1.64 are asked for */

static const char cure[] =
	"install it (Debian 13: apt install libonnxruntime1.21; Debian 12: make models), or name it in "
	"inference.library";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct onnx_library *loaded; /* under lock; once set it stays */

/* The places asked for, and why the first library that is there could not be used. */
struct search {
	struct onnx_library *lib;
	struct buf tried, broken;
};

static void forget_log(void *arg, int level, const char *category, const char *id, const char *where, const char *text)
{
	(void)arg, (void)level, (void)category, (void)id, (void)where, (void)text; /* failures come back as statuses */
}

int onnx_check(const struct onnx_library *lib, ort_status *status, enum err_class class, struct err *err)
{
	if (!status)
		return 0;
	(void)err_set(err, class, 0, "%s", lib->api.GetErrorMessage(status));
	lib->api.ReleaseStatus(status);
	return -1;
}

static void bind(struct ort_api *api, const void *const *table)
{
#define ORT_BIND(index, name, type) memcpy(&api->name, &table[index], sizeof(api->name));
	ORT_CALLS(ORT_BIND)
#undef ORT_BIND
}

static int set_up(struct onnx_library *lib, struct err *err)
{
	const struct ort_api *api = &lib->api;
	ort_status *made = api->CreateEnvWithCustomLogger(forget_log, NULL, ORT_LEVEL_WARNING, "inlet", &lib->env);
	if (onnx_check(lib, made, ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->DisableTelemetryEvents(lib->env), ERR_RETRY, err) < 0 ||
	    onnx_check(lib, api->GetAllocatorWithDefaultOptions(&lib->allocator), ERR_RETRY, err) < 0)
		return -1;
	made = api->CreateCpuMemoryInfo(ORT_DEVICE_ALLOCATOR, ORT_MEMORY_DEFAULT, &lib->memory);
	return onnx_check(lib, made, ERR_RETRY, err);
}

/* "not there" is ordinary; a library that is there and does not work is worth saying. */
static void remember_broken(struct search *s, const char *path, const char *why)
{
	if (s->broken.len == 0 && !strstr(why, "No such file"))
		buf_printf(&s->broken, "; '%s' cannot be used: %s", path, why);
}

static bool try_path(struct search *s, const char *path)
{
	void *handle = onnx_cerr_dlopen(path);
	if (!handle) {
		remember_broken(s, path, dlerror());
		return false;
	}
	ort_get_base_fn *get_base;
	void *symbol = dlsym(handle, "OrtGetApiBase");
	memcpy(&get_base, &symbol, sizeof(get_base));
	const struct ort_base *base = get_base ? get_base() : NULL;
	const void *const *table = base ? base->get_api(ORT_API_WANTED) : NULL;
	if (!table) {
		remember_broken(s, path, base ? "it is older than 1.11" : "it is not ONNX Runtime");
		return false;
	}
	struct err err = { 0 };
	bind(&s->lib->api, table);
	if (set_up(s->lib, &err) < 0) {
		remember_broken(s, path, err.text);
		if (s->lib->env)
			s->lib->api.ReleaseEnv(TAKE_PTR(s->lib->env));
		return false;
	}
	(void)snprintf(s->lib->runtime, sizeof(s->lib->runtime), "ONNX Runtime %s", base->version());
	return true;
}

static bool try_named(struct search *s, const char *path)
{
	buf_printf(&s->tried, "%s%s", s->tried.len ? ", " : "", path);
	return try_path(s, path);
}

static bool try_system(struct search *s)
{
	if (try_named(s, "libonnxruntime.so.1") || try_named(s, "libonnxruntime.so"))
		return true;
	buf_str(&s->tried, ", libonnxruntime.so.1.N");
	for (int minor = MINOR_MAX; minor >= ORT_API_WANTED; minor--) {
		char name[64];
		(void)snprintf(name, sizeof(name), "libonnxruntime.so.1.%d", minor);
		if (try_path(s, name))
			return true;
	}
	return false;
}

static bool try_folder(struct search *s, const char *folder)
{
	CLEANUP(freep) char *pattern = mem_printf("%s/libonnxruntime.so*", folder);
	buf_printf(&s->tried, ", %s", pattern);
	CLEANUP(globfree) glob_t found = { 0 };
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = found.gl_pathc; i-- > 0;)
		if (try_path(s, found.gl_pathv[i]))
			return true;
	return false;
}

/* Beside the program in a build folder, or where "make install" put ours. */
static bool try_own(struct search *s)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[len < 0 ? 0 : len] = '\0';
	char *slash = strrchr(exe, '/');
	if (slash) {
		*slash = '\0';
		CLEANUP(freep) char *folder = mem_printf("%s/lib", exe);
		if (try_folder(s, folder))
			return true;
	}
	return try_folder(s, INLET_PREFIX "/lib/inlet");
}

static bool search(struct search *s, const char *path)
{
	if (path)
		return try_named(s, path);
	const char *named = getenv("ORT_DYLIB_PATH");
	if (named && named[0])
		return try_named(s, named);
	return try_system(s) || try_own(s);
}

static int load(const char *path, struct err *err)
{
	CLEANUP(freep) struct onnx_library *lib = mem_zero(1, sizeof(*lib));
	struct search s = { .lib = lib };
	if (search(&s, path))
		loaded = TAKE_PTR(lib);
	else
		(void)err_set(err, ERR_RETRY, 0, "no ONNX Runtime 1.11 or later in %s%s; %s", s.tried.data,
			s.broken.len ? s.broken.data : "", cure);
	buf_done(&s.tried);
	buf_done(&s.broken);
	return loaded ? 0 : -1;
}

int onnx_library_get(const char *path, const struct onnx_library **ret, struct err *err)
{
	(void)pthread_mutex_lock(&lock);
	int result = loaded ? 0 : load(path, err);
	if (result == 0)
		*ret = loaded;
	(void)pthread_mutex_unlock(&lock);
	return result;
}
