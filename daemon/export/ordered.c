/* ordered.c - entries by (import, line), through the sorter. */
#include "daemon/export/ordered.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/manifest/sorter.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct ordered {
	char *dir;
	int fd;
	struct sorter *sorter;
	uint64_t added;
	bool finished;
};

struct ordered *ordered_new(const char *dir)
{
	struct ordered *o = mem_zero(1, sizeof(*o));
	o->dir = mem_strdup(dir ? dir : "/var/tmp");
	o->fd = -1;
	return o;
}

void ordered_free(struct ordered *o)
{
	if (!o)
		return;
	sorter_free(o->sorter);
	close_fdp(&o->fd);
	free(o->dir);
	free(o);
}

int ordered_add(struct ordered *o, const struct item_full *entry, struct slice text, struct err *err)
{
	const struct import_row *row = entry->row_count ? entry->rows : NULL;
	const uint64_t key[2] = { htobe64(row ? row->import : UINT64_MAX), htobe64(row ? row->line : 0) };
	if (!o->sorter) {
		o->fd = open(o->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (o->fd < 0)
			return err_set(err, ERR_RETRY, errno, "make a temporary file in '%s'", o->dir);
		o->sorter = sorter_new(o->fd);
	}
	const struct sorter_record r = { .key = { (const char *)key, sizeof(key) }, .at = { .offset = o->added++ }, .text = text };
	return sorter_add(o->sorter, &r, err);
}

int ordered_next(struct ordered *o, size_t bytes, struct buf *to, struct err *err)
{
	size_t enough = to->len + bytes;
	const struct sorter_record *r;
	if (!o->sorter)
		return 0;
	if (!o->finished && sorter_finish(o->sorter, err) < 0)
		return -1;
	o->finished = true;
	while ((r = sorter_peek(o->sorter)) && to->len < enough) {
		buf_add(to, r->text.p, r->text.len);
		if (sorter_pop(o->sorter, err) < 0)
			return -1;
	}
	return r ? 1 : 0;
}
