/* bucket_page.c - collects the keys of one answer, checks their order, and hands them on as a page. */
#include "connectors/bucket_page.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <stdlib.h>

void bucket_page_init(struct bucket_page *p, struct bucket *b, struct slice after)
{
	*p = (struct bucket_page){ .bucket = b };
	buf_add(&p->after, after.p, after.len);
	buf_add(&p->last, after.p, after.len);
}

void bucket_page_done(struct bucket_page *p)
{
	buf_done(&p->after);
	buf_done(&p->last);
	buf_done(&p->text);
	free(p->entries);
	p->entries = NULL;
}

static void buf_set(struct buf *b, struct slice s)
{
	b->len = 0;
	buf_add(b, s.p, s.len);
}

void bucket_page_reset(struct bucket_page *p)
{
	buf_set(&p->last, buf_slice(&p->after));
	p->text.len = 0;
	p->count = 0;
	p->listed = p->wanted = p->archived = 0;
}

static int distrust(const struct bucket_page *p, struct slice key, const char *why, struct err *err)
{
	char name[256];
	bucket_describe(p->bucket, key, name, sizeof(name));
	return err_set(err, ERR_RETRY, 0, "the listing cannot be trusted: %s %s; nothing is concluded from it", name, why);
}

/* Which of the two is wrong only a person can tell: a server that cannot write a control character lists another key in its place. */
static int distrust_order(const struct bucket_page *p, struct slice key, struct err *err)
{
	char before[128], why[192];
	bucket_describe(p->bucket, buf_slice(&p->last), before, sizeof(before));
	(void)snprintf(why, sizeof(why), "comes again or out of order, behind %s", before);
	return distrust(p, key, why, err);
}

static int check(const struct bucket_page *p, struct slice key, struct slice version, struct err *err)
{
	const char *prefix = p->bucket->config->prefix ? p->bucket->config->prefix : "";
	size_t n = strlen(prefix);
	if (key.len == 0 || key.len > BUCKET_KEY_MAX)
		return distrust(p, key, "is no key of 1 to 1024 bytes", err);
	if (version.len == 0 || version.len > VERSION_TOKEN_MAX)
		return distrust(p, key, "has no usable version", err);
	if (key.len < n || memcmp(key.p, prefix, n) != 0)
		return distrust(p, key, "does not begin with the prefix that was asked for", err);
	if (slice_cmp(key, buf_slice(&p->last)) <= 0)
		return distrust_order(p, key, err);
	return 0;
}

static void push(struct bucket_page *p, struct entry e)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 256;
		p->entries = mem_resize(p->entries, p->cap, sizeof(*p->entries));
	}
	buf_add(&p->text, e.name.p, e.name.len);
	buf_add(&p->text, e.version.p, e.version.len);
	p->entries[p->count++] = e;
}

int bucket_page_add(struct bucket_page *p, struct slice key, struct slice version, uint64_t bytes, enum entry_kind kind,
	struct err *err)
{
	if (check(p, key, version, err) < 0)
		return -1;
	buf_set(&p->last, key);
	p->listed++;
	if (!bucket_wants(p->bucket, key))
		return 0;
	p->wanted++;
	p->archived += kind == ENTRY_ARCHIVED;
	push(p, (struct entry){ .name = key, .version = version, .bytes = bytes, .kind = kind });
	return 0;
}

/* The text has stopped moving: now the entries may point into it. */
static void point(struct bucket_page *p)
{
	const char *at = p->text.data;
	for (size_t i = 0; i < p->count; i++) {
		struct entry *e = &p->entries[i];
		e->locality = i; /* of one place: fetched in the order listed */
		e->name.p = at;
		e->version.p = at + e->name.len;
		at += e->name.len + e->version.len;
	}
}

int bucket_page_emit(struct bucket_page *p, struct slice upto, bool open_ended, page_fn *emit, void *arg, struct err *err)
{
	struct page page = {
		.place = SLICE_LIT(""),
		.entries = p->entries,
		.count = p->count,
		.after = buf_slice(&p->after),
		.upto = upto,
		.open_ended = open_ended,
	};
	point(p);
	atomic_fetch_add(&p->bucket->listed, p->listed);
	atomic_fetch_add(&p->bucket->wanted, p->wanted);
	atomic_fetch_add(&p->bucket->archived, p->archived);
	if (emit(arg, &page, err) < 0)
		return -1;
	buf_set(&p->after, upto);
	bucket_page_reset(p);
	return 0;
}
