/* target.c - looks where output would land. */
#include "daemon/cli/target.h"

#include "config/path.h"
#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that gets the name, free of symlinks, and the name: a symlink of that name is replaced, not followed. */
static char *place_of(const char *name)
{
	size_t len = strlen(name);
	while (len > 1 && name[len - 1] == '/')
		len--;
	size_t base = len;
	while (base > 0 && name[base - 1] != '/')
		base--;
	CLEANUP(freep) char *parent = base ? mem_strndup(name, base) : mem_strdup(".");
	CLEANUP(freep) char *last = mem_strndup(name + base, len - base);
	CLEANUP(freep) char *real = path_real(parent);
	return path_join(real, last);
}

/* The file behind standard output; NULL: none, or none that has a name. */
static char *stdout_file(void)
{
	char path[PATH_MAX];
	struct stat st, named;
	ssize_t n;
	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	n = readlink("/proc/self/fd/1", path, sizeof(path) - 1);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	bool is_it = stat(path, &named) == 0 && named.st_dev == st.st_dev && named.st_ino == st.st_ino; /* not deleted meanwhile */
	return is_it ? mem_strdup(path) : NULL;
}

int target_check(const struct config *c, const char *name, struct err *err)
{
	CLEANUP(freep) char *place = name ? place_of(name) : stdout_file();
	CLEANUP(freep) char *store = path_real(c->state_dir);
	if (place && path_inside(place, store))
		return err_set(err, ERR_REJECT, 0, "'%.200s' lies inside the store, %.200s, which is Inlet's own. Write it elsewhere", place, store);
	for (size_t i = 0; place && i < c->source_count; i++) {
		const struct source_config *s = &c->sources[i];
		if (source_config_is_bucket(s))
			continue;
		CLEANUP(freep) char *folder = path_real(s->folder.path);
		if (path_inside(place, folder))
			return err_set(err, ERR_REJECT, 0, "'%.200s' lies inside the folder that source '%s' watches, %.200s: what is written there "
				"would be taken in as new files. Write it elsewhere%s", name ? name : place, s->name, folder,
				name ? "" : "; the shell has made that file already: remove it");
	}
	return 0;
}
