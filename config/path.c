/* path.c - where a path in a configuration file leads. */
#include "config/path.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The length of dir without its last name: "/a/b" -> 2, "/a" and "/" -> 0. */
static size_t parent_len(const char *dir, size_t len)
{
	while (len > 0 && dir[len - 1] != '/')
		len--;
	while (len > 0 && dir[len - 1] == '/')
		len--;
	return len;
}

static const char *skip_slashes(const char *p)
{
	return p + strspn(p, "/");
}

char *path_join(const char *dir, const char *path)
{
	if (path[0] == '/')
		return mem_strdup(path);
	size_t len = strlen(dir);
	while (len > 0 && dir[len - 1] == '/')
		len--;
	for (;;) {
		if (strncmp(path, "./", 2) == 0 || strcmp(path, ".") == 0) {
			path = skip_slashes(path + 1);
		} else if (strncmp(path, "../", 3) == 0 || strcmp(path, "..") == 0) {
			path = skip_slashes(path + 2);
			len = parent_len(dir, len);
		} else {
			break;
		}
	}
	if (*path == '\0')
		return len == 0 ? mem_strdup("/") : mem_strndup(dir, len);
	return mem_printf("%.*s/%s", (int)len, dir, path);
}

char *path_real(const char *path)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	if (real)
		return TAKE_PTR(real);
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	size_t up = len;
	while (up > 0 && path[up - 1] != '/')
		up--;
	if (len <= 1) /* no name is left to cut off */
		return mem_strndup(path, len);
	CLEANUP(freep) char *parent = up == 0 ? mem_strdup(".") : mem_strndup(path, up);
	CLEANUP(freep) char *above = path_real(parent);
	CLEANUP(freep) char *name = mem_strndup(path + up, len - up);
	return path_join(above, name);
}

bool path_inside(const char *inner, const char *outer)
{
	size_t n = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
	return strncmp(inner, outer, n) == 0 && (inner[n] == '/' || inner[n] == '\0');
}
