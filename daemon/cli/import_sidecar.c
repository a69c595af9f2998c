/* import_sidecar.c - finds sidecars and reads them. */
#include "daemon/cli/import_sidecar.h"

#include "daemon/base/cleanup.h"

#include <fcntl.h>
#include <limits.h>

#define ENDING ".json"
#define ENDING_LEN (sizeof(ENDING) - 1)

static bool ends_so(const char *name)
{
	size_t n = strlen(name);
	return n > ENDING_LEN && memcmp(name + n - ENDING_LEN, ENDING, ENDING_LEN) == 0;
}

static bool is_file(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool sidecar_is(const struct walk_entry *e)
{
	char name[NAME_MAX + 1];
	if (e->kind != WALK_FILE || !ends_so(e->name))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(strlen(e->name) - ENDING_LEN), e->name);
	return !ends_so(name) && is_file(e->dir, name);
}

static ssize_t read_some(void *arg, void *p, size_t n, struct err *err)
{
	const struct sidecar *s = arg;
	ssize_t got = read(s->fd, p, n);
	return got < 0 ? err_set(err, ERR_RETRY, errno, "read the sidecar") : got;
}

static int read_row(struct sidecar *s, struct buf *ret_cure, struct err *why)
{
	struct manifest_options o = { .format = MANIFEST_SIDECAR, .name = s->path.data, .spool = -1 };
	struct manifest_failure failure;
	if (manifest_open(&o, read_some, s, &s->m, why) < 0)
		return -1;
	int more = manifest_next(s->m, &s->row, &failure, why);
	if (more == 0)
		return err_set(why, ERR_REJECT, 0, "the sidecar is empty");
	if (more == 2) {
		ret_cure->len = 0;
		buf_add(ret_cure, failure.cure.p, failure.cure.len);
		return err_set(why, failure.class, 0, "line %llu: %.*s", (unsigned long long)failure.at.line, (int)failure.reason.len,
			failure.reason.p);
	}
	return more < 0 ? -1 : 1;
}

int sidecar_open(const struct import_files *f, const struct walk_entry *e, struct sidecar *ret, struct buf *ret_cure, struct err *why)
{
	char name[NAME_MAX + ENDING_LEN + 1];
	struct stat st;
	const char *cure;
	*ret = (struct sidecar){ .fd = -1 };
	(void)snprintf(name, sizeof(name), "%s" ENDING, e->name);
	if (ends_so(e->name) || !is_file(e->dir, name))
		return 0;
	buf_add(&ret->path, e->path.p, e->path.len);
	buf_str(&ret->path, ENDING);
	if (import_files_get(f, buf_slice(&ret->path), &ret->fd, &st, &cure, why) < 0) {
		buf_str(ret_cure, cure);
		return why->sys == ENOENT ? 0 : -1;
	}
	buf_str(ret_cure, "make it one JSON object with labels and metadata, or give it another name");
	return read_row(ret, ret_cure, why);
}

void sidecar_close(struct sidecar *s)
{
	manifest_close(s->m);
	close_fdp(&s->fd);
	buf_done(&s->path);
}
