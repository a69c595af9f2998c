/* import_sidecar.c - finds sidecars and reads them. */
#include "daemon/cli/import_sidecar.h"

#include "daemon/base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

static bool is_file(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool sidecar_is(const struct walk_entry *e)
{
	char name[NAME_MAX + 1];
	struct slice subject = e->kind == WALK_FILE ? sidecar_subject(slice_of(e->name)) : (struct slice){ 0 };
	if (subject.len == 0)
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)subject.len, subject.p);
	return is_file(e->dir, name);
}

static ssize_t read_some(void *arg, void *p, size_t n, struct err *err)
{
	const struct sidecar *s = arg;
	ssize_t got = read(s->fd, p, n);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read the sidecar") : got;
}

int sidecar_open(const struct import_files *f, const struct walk_entry *e, struct sidecar *ret, struct buf *ret_cure, struct err *why)
{
	char name[NAME_MAX + sizeof(SIDECAR_ENDING)];
	struct stat st;
	const char *cure;
	*ret = (struct sidecar){ .fd = -1 };
	(void)snprintf(name, sizeof(name), "%s" SIDECAR_ENDING, e->name);
	if (!sidecar_may_be_of(slice_of(e->name)) || !is_file(e->dir, name))
		return 0;
	buf_add(&ret->path, e->path.p, e->path.len);
	buf_str(&ret->path, SIDECAR_ENDING);
	if (import_files_get(f, buf_slice(&ret->path), &ret->fd, &st, &cure, why) < 0) {
		buf_str(ret_cure, cure);
		return why->sys == ENOENT ? 0 : -1;
	}
	buf_str(ret_cure, "make it one JSON object with labels and metadata, or give it another name");
	return sidecar_read(ret->path.data, read_some, ret, &ret->m, &ret->row, ret_cure, why) < 0 ? -1 : 1;
}

void sidecar_close(struct sidecar *s)
{
	manifest_close(s->m);
	close_fdp(&s->fd);
	buf_done(&s->path);
}
