/* frames.c - whose frames they are. */
#include "daemon/sender/frames.h"

#include "daemon/base/crc.h"
#include "daemon/base/mem.h"
#include "daemon/sender/group.h"

#include <stdlib.h>

#define ROWS_FIRST 1024 /* room that is made first */

/* --- in an upload --- */

static uint32_t mark_of(const struct import_group *g)
{
	return crc32c_add(0, g->key.data, g->key.len);
}

void frames_note(struct sender_frames *f, struct import_group *g, uint64_t n)
{
	while (f->count + n > f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->rows = mem_resize(f->rows, f->cap, sizeof(struct import_group *));
		f->marks = mem_resize(f->marks, f->cap, sizeof(*f->marks));
	}
	for (; n > 0; n--) {
		f->marks[f->count] = g ? mark_of(g) : 0;
		f->rows[f->count++] = g;
	}
	f->held += g ? group_bytes(g) : 0;
}

bool frames_offer_other(const struct sender_frames *f, const struct import_group *g)
{
	uint32_t mark = f->offers ? mark_of(g) : 0;
	for (size_t i = 0; f->offers && i < f->count; i++)
		if (f->marks[i] == mark && f->rows[i] && f->rows[i]->kind == ROW_PATH && !group_same_content(f->rows[i], g) &&
			slice_eq(buf_slice(&f->rows[i]->key), buf_slice(&g->key)))
			return true;
	return false;
}

void frames_done(struct sender_frames *f)
{
	for (size_t i = 0; i < f->count; i++)
		group_free(f->rows[i]);
	buf_done(&f->text);
	free(f->rows);
	free(f->marks);
	*f = (struct sender_frames){ 0 };
}

/* --- sent --- */

void sent_add(struct sender_sent *s, struct sender_frames *f)
{
	while (s->count + f->count > s->cap) {
		s->cap = s->cap ? 2 * s->cap : ROWS_FIRST;
		s->rows = mem_resize(s->rows, s->cap, sizeof(struct import_group *));
	}
	if (f->count)
		memcpy(s->rows + s->count, f->rows, f->count * sizeof(struct import_group *));
	s->count += f->count;
	s->held += f->held;
	f->text.len = 0;
	f->count = f->held = f->offers = f->files = 0;
	f->file_bytes = 0;
}

void sent_forget(struct sender_sent *s, uint64_t frame)
{
	size_t n = frame <= s->first ? 0 : frame - s->first < s->count ? (size_t)(frame - s->first) : s->count;
	for (size_t i = 0; i < n; i++) {
		s->held -= s->rows[i] ? group_bytes(s->rows[i]) : 0;
		group_free(s->rows[i]);
	}
	s->count -= n;
	s->first += n;
	if (n)
		memmove(s->rows, s->rows + n, s->count * sizeof(struct import_group *));
}

struct import_group *sent_take(struct sender_sent *s, const json_t *frame)
{
	json_int_t n = json_integer_value(frame);
	if (!json_is_integer(frame) || n < 0 || (uint64_t)n < s->first || (uint64_t)n - s->first >= s->count)
		return NULL;
	struct import_group *g = TAKE_PTR(s->rows[(uint64_t)n - s->first]);
	s->held -= g ? group_bytes(g) : 0;
	return g;
}

void sent_done(struct sender_sent *s)
{
	sent_forget(s, s->first + s->count);
	free(s->rows);
	*s = (struct sender_sent){ 0 };
}
