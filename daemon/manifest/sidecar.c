/* sidecar.c - the rule of names, and the first row of a sidecar. */
#include "daemon/manifest/sidecar.h"

#define ENDING_LEN (sizeof(SIDECAR_ENDING) - 1)

/* Of the last part of a path; the ending alone is a name without one. */
static bool ends_so(struct slice path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;
	size_t n = slash ? path.len - (size_t)(slash + 1 - path.p) : path.len;
	return n > ENDING_LEN && memcmp(path.p + path.len - ENDING_LEN, SIDECAR_ENDING, ENDING_LEN) == 0;
}

struct slice sidecar_subject(struct slice path)
{
	struct slice subject = { path.p, ends_so(path) ? path.len - ENDING_LEN : 0 };
	return sidecar_may_be_of(subject) ? subject : (struct slice){ 0 };
}

bool sidecar_may_be_of(struct slice path)
{
	return path.len > 0 && !ends_so(path);
}

int sidecar_read(const char *path, manifest_read_fn *read, void *arg, struct manifest **ret_m, struct manifest_row *ret,
	struct buf *ret_cure, struct err *why)
{
	struct manifest_options o = { .format = MANIFEST_SIDECAR, .name = path, .spool = -1 };
	struct manifest_failure failure;
	*ret_m = NULL;
	if (manifest_open(&o, read, arg, ret_m, why) < 0)
		return -1;
	int more = manifest_next(*ret_m, ret, &failure, why);
	if (more == 0)
		return err_set(why, ERR_REJECT, 0, "the sidecar is empty");
	if (more == 2) {
		if (failure.cure.len) {
			ret_cure->len = 0;
			buf_add(ret_cure, failure.cure.p, failure.cure.len);
		}
		return err_set(why, failure.class, 0, "line %llu, column %llu: %.*s", (unsigned long long)failure.at.line,
			(unsigned long long)failure.at.column, (int)failure.reason.len, failure.reason.p);
	}
	return more < 0 ? -1 : 0;
}
