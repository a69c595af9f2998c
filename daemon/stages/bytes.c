/* bytes.c - the bytes of an item: from the store, or read again at its source, pinned and checked. */
#include "daemon/stages/bytes.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/flow/sinks.h"
#include "daemon/stages/source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define IN_MEMORY_MAX (8U << 20) /* larger objects are read again into an unlinked file */

static int fetch(struct source *s, const struct object *o, struct sink *into, struct err *err)
{
	struct object seen;
	int ok = source_read(s, o, into, &seen, err);
	if (ok < 0 && err->class == ERR_REJECT && err->sys == FETCH_ARCHIVED)
		err->class = ERR_RETRY; /* its content is known and nothing is wrong with it: it waits until it is restored */
	return ok;
}

static int read_again(struct pipeline *p, struct source *s, const struct object *o, const struct item *item, int *ret_fd,
	struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *hash = sha256_new();
	CLEANUP(freep) uint8_t *buffer = mem_alloc(SINK_BUFFER);
	CLEANUP(close_fdp) int fd = -1;
	struct fetch_sink sink;
	struct content_id content;
	if (item->bytes <= IN_MEMORY_MAX)
		fd = memfd_create("inlet-object", MFD_CLOEXEC);
	else if (large_create(p->store, item->bytes, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return err_set(err, ERR_RETRY, errno, "memory for an object");
	sink_file(&sink, p->account, hash, buffer, fd, p->config->limits.object_bytes);
	if (fetch(s, o, &sink.sink, err) < 0 || sink_end(&sink, &content, err) < 0)
		return -1;
	if (!content_id_eq(&content, &item->content))
		return err_set(err, ERR_RETRY, 0, "is not the same content any more; the next pass over '%s' decides", source_name(s));
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Tries every reference that stands until one gives the bytes. */
static int by_reference(struct pipeline *p, const struct item *item, int *ret_fd, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	const struct reference *refs;
	size_t n;
	(void)err_set(err, ERR_RETRY, 0, "item %llu is known by reference only, and none of its references can be read now",
		(unsigned long long)item->id);
	struct err last;
	if (view_open(p->store, &v, &last) < 0 || view_references(v, item->id, false, &refs, &n, &last) < 0)
		return -1;
	if (n == 0)
		return err_set(err, ERR_RETRY, 0, "item %llu is known by reference only, and every file that carried it is gone",
			(unsigned long long)item->id);
	for (size_t i = 0; i < n; i++) {
		struct source *s = source_find(p, refs[i].source);
		struct object o = { .key = refs[i].key, .version = refs[i].version, .bytes = item->bytes };
		if (s && read_again(p, s, &o, item, ret_fd, &last) == 0)
			return 0;
		if (s) {
			struct buf key = { 0 };
			text_shown(&key, refs[i].key);
			*err = last;
			(void)err_wrap(err, "'%s' of source '%s'", key.data ? key.data : "", source_name(s));
			buf_done(&key);
		}
	}
	return -1;
}

int pipeline_bytes(struct pipeline *p, const struct item *item, int *ret_fd, uint64_t *ret_offset, struct err *err)
{
	if (item->at.kind != LOCATION_REFERENCE)
		return store_blob(p->store, item, ret_fd, ret_offset, err);
	*ret_offset = 0;
	return by_reference(p, item, ret_fd, err);
}
