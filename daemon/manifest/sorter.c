/* sorter.c - an external merge sort. A record in a run is a struct head, the key, the text. */
#include "daemon/manifest/sorter.h"

#include "daemon/base/buf.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <stdlib.h>

#define RUN_BYTES (8U << 20)
#define MERGE_BYTES (16U << 20) /* of all runs' buffers together, about */
#define BUFFER_MIN (4U << 10)
#define BUFFER_MAX (64U << 10)

struct head {
	uint32_t key_len, text_len, kind, zero; /* no hole: all bytes of it go to the file */
	struct manifest_place at;
	const char *reason, *cure;
};
struct run {
	uint64_t at, end;            /* in the file: what is not in the buffer yet */
	struct buf buffer;
	size_t pos;                  /* in the buffer: the record that is next */
	struct sorter_record record;
};
struct sorter {
	int fd;
	uint64_t bytes;              /* of the file */
	struct buf pending;          /* the run being collected */
	size_t *starts;              /* [count] of its records */
	size_t count, room;
	struct run *runs;
	size_t run_count, run_room;
	size_t *heap;                /* indexes of runs that have a record, the least first */
	size_t heap_count;
	size_t buffer_bytes;
};

struct sorter *sorter_new(int fd)
{
	struct sorter *s = mem_zero(1, sizeof(*s));
	s->fd = fd;
	return s;
}

void sorter_free(struct sorter *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->run_count; i++)
		buf_done(&s->runs[i].buffer);
	free(s->runs);
	free(s->heap);
	free(s->starts);
	buf_done(&s->pending);
	free(s);
}

/* The record whose head is at p; all of it is there. */
static struct sorter_record record_at(const char *p)
{
	struct head h;
	memcpy(&h, p, sizeof(h));
	return (struct sorter_record){ { p + sizeof(h), h.key_len }, h.kind, h.at, h.reason, h.cure,
		{ p + sizeof(h) + h.key_len, h.text_len } };
}

static int compare(const struct sorter_record *a, const struct sorter_record *b)
{
	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	int c = slice_cmp(a->key, b->key);
	if (c == 0)
		c = (a->kind > b->kind) - (a->kind < b->kind);
	return c ? c : (a->at.offset > b->at.offset) - (a->at.offset < b->at.offset);
}

static int compare_starts(const void *a, const void *b, void *data)
{
	struct sorter_record x = record_at((const char *)data + *(const size_t *)a);
	struct sorter_record y = record_at((const char *)data + *(const size_t *)b);
	return compare(&x, &y);
}

static int write_run(struct sorter *s, struct err *err)
{
	struct buf sorted = { 0 };
	struct run *run = NULL;
	qsort_r(s->starts, s->count, sizeof(*s->starts), compare_starts, s->pending.data);
	(void)buf_grow(&sorted, s->pending.len);
	for (size_t i = 0; i < s->count; i++) {
		struct sorter_record r = record_at(s->pending.data + s->starts[i]);
		buf_add(&sorted, s->pending.data + s->starts[i], sizeof(struct head) + r.key.len + r.text.len);
	}
	int result = file_write_at(s->fd, sorted.data, sorted.len, s->bytes, err);
	buf_done(&sorted);
	if (result < 0)
		return err_wrap(err, "temporary file");
	if (s->run_count == s->run_room) {
		s->run_room = s->run_room ? 2 * s->run_room : 16;
		s->runs = mem_resize(s->runs, s->run_room, sizeof(*s->runs));
	}
	run = &s->runs[s->run_count++];
	*run = (struct run){ .at = s->bytes, .end = s->bytes + s->pending.len };
	s->bytes = run->end;
	s->pending.len = s->count = 0;
	return 0;
}

int sorter_add(struct sorter *s, const struct sorter_record *r, struct err *err)
{
	struct head h = { (uint32_t)r->key.len, (uint32_t)r->text.len, r->kind, 0, r->at, r->reason, r->cure };
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->starts = mem_resize(s->starts, s->room, sizeof(*s->starts));
	}
	s->starts[s->count++] = s->pending.len;
	buf_add(&s->pending, &h, sizeof(h));
	buf_add(&s->pending, r->key.p, r->key.len);
	buf_add(&s->pending, r->text.p, r->text.len);
	return s->pending.len < RUN_BYTES ? 0 : write_run(s, err);
}

/* At least n bytes from pos, as long as the run has them. */
static int fill(struct sorter *s, struct run *run, size_t n, struct err *err)
{
	size_t have = run->buffer.len - run->pos;
	if (have >= n)
		return 0;
	if (have)
		memmove(run->buffer.data, run->buffer.data + run->pos, have);
	run->buffer.len = have;
	run->pos = 0;
	size_t want = n > s->buffer_bytes ? n : s->buffer_bytes;
	size_t more = want - have;
	more = more < run->end - run->at ? more : (size_t)(run->end - run->at);
	if (file_read_at(s->fd, buf_grow(&run->buffer, more), more, run->at, err) < 0)
		return err_wrap(err, "temporary file");
	run->buffer.len += more;
	run->at += more;
	return 0;
}

/* Makes the run's next record whole in memory: 1, 0 the run is at its end, -1. */
static int load(struct sorter *s, struct run *run, struct err *err)
{
	struct head h;
	if (run->pos == run->buffer.len && run->at == run->end)
		return 0;
	if (fill(s, run, sizeof(h), err) < 0)
		return -1;
	memcpy(&h, run->buffer.data + run->pos, sizeof(h));
	if (fill(s, run, sizeof(h) + h.key_len + h.text_len, err) < 0)
		return -1;
	run->record = record_at(run->buffer.data + run->pos);
	return 1;
}

static bool is_less(const struct sorter *s, size_t a, size_t b)
{
	return compare(&s->runs[s->heap[a]].record, &s->runs[s->heap[b]].record) < 0;
}

static void swap(struct sorter *s, size_t a, size_t b)
{
	size_t run = s->heap[a];
	s->heap[a] = s->heap[b];
	s->heap[b] = run;
}

static void sift_down(struct sorter *s, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->heap_count; child++)
			if (is_less(s, child, least))
				least = child;
		if (least == i)
			return;
		swap(s, i, least);
		i = least;
	}
}

int sorter_finish(struct sorter *s, struct err *err)
{
	if (s->count && write_run(s, err) < 0)
		return -1;
	buf_done(&s->pending);
	size_t each = MERGE_BYTES / (s->run_count + 1);
	s->buffer_bytes = each < BUFFER_MIN ? BUFFER_MIN : each > BUFFER_MAX ? BUFFER_MAX : each;
	s->heap = mem_zero(s->run_count + 1, sizeof(*s->heap));
	for (size_t i = 0; i < s->run_count; i++) {
		if (load(s, &s->runs[i], err) < 0)
			return -1;
		s->heap[s->heap_count++] = i;
	}
	for (size_t i = s->heap_count; i-- > 0;)
		sift_down(s, i);
	return 0;
}

const struct sorter_record *sorter_peek(const struct sorter *s)
{
	return s->heap_count ? &s->runs[s->heap[0]].record : NULL;
}

int sorter_pop(struct sorter *s, struct err *err)
{
	struct run *run = &s->runs[s->heap[0]];
	run->pos += sizeof(struct head) + run->record.key.len + run->record.text.len;
	int more = load(s, run, err);
	if (more < 0)
		return -1;
	if (more == 0)
		swap(s, 0, --s->heap_count);
	sift_down(s, 0);
	return 0;
}
