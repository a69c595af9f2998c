/* folder_listing.c - getdents64, then fstatat in inode order, into an arena of chunks that never move. */
#include "connectors/folder_listing.h"

#include "connectors/folder_names.h"
#include "connectors/folder_version.h"
#include "daemon/base/clock.h"
#include "daemon/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define CHUNK_BYTES (128U << 10)
#define DENTS_BYTES (64U << 10)
#define KEEP_ENTRIES 4096      /* kept for the next directory, and one chunk; what a huge directory took goes back */
#define LOOK_UP_EVERY 256      /* entries between two looks at stopping */

_Static_assert(VERSION_TEXT_MAX <= VERSION_TOKEN_MAX, "tokens fit the contract");

struct chunk {
	struct chunk *next;
	size_t used;
	char bytes[CHUNK_BYTES - 2 * sizeof(void *)];
};

void listing_init(struct listing *l)
{
	*l = (struct listing){ .dents = mem_alloc(DENTS_BYTES) };
}

static void drop_chunks(struct chunk *c)
{
	for (struct chunk *next; c; c = next) {
		next = c->next;
		free(c);
	}
}

void listing_done(struct listing *l)
{
	drop_chunks(l->chunks);
	free(l->entries);
	free(l->dents);
}

static void reset(struct listing *l)
{
	if (l->chunks) {
		drop_chunks(l->chunks->next);
		l->chunks->next = NULL;
		l->chunks->used = 0;
	}
	if (l->capacity > KEEP_ENTRIES) {
		free(l->entries);
		l->entries = NULL;
		l->capacity = 0;
	}
	l->count = 0;
	l->skipped = 0;
	l->settling = 0;
	l->unreadable = 0;
	l->settles_in_ns = UINT64_MAX;
}

/* Room for n bytes; the caller adds what it used to chunks->used. */
static char *room(struct listing *l, size_t n)
{
	if (!l->chunks || l->chunks->used + n > sizeof(l->chunks->bytes)) {
		struct chunk *c = mem_alloc(sizeof(*c));
		c->next = l->chunks;
		c->used = 0;
		l->chunks = c;
	}
	return l->chunks->bytes + l->chunks->used;
}

static struct entry *add_entry(struct listing *l)
{
	if (l->count == l->capacity) {
		l->capacity = l->capacity ? 2 * l->capacity : KEEP_ENTRIES / 4;
		l->entries = mem_resize(l->entries, l->capacity, sizeof(*l->entries));
	}
	return &l->entries[l->count++];
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static bool is_taken(const struct listing_rules *rules, unsigned char type, const char *name, size_t len)
{
	if (type == DT_UNKNOWN)
		return true; /* decided when fstatat has told what it is */
	return (type == DT_REG || type == DT_DIR) && !names_ignored(name, len, type == DT_DIR, rules->ignore);
}

static void take_name(struct listing *l, const struct dirent64 *d, const struct listing_rules *rules)
{
	size_t len = strlen(d->d_name);
	if (is_dots(d->d_name))
		return;
	if (!is_taken(rules, d->d_type, d->d_name, len)) {
		l->skipped++;
		return;
	}
	char *name = memcpy(room(l, len + 1), d->d_name, len + 1);
	l->chunks->used += len + 1;
	*add_entry(l) = (struct entry){
		.name = { name, len },
		.locality = d->d_ino,
		.kind = d->d_type == DT_DIR ? ENTRY_DIRECTORY : ENTRY_FILE,
		.racy = d->d_type == DT_UNKNOWN, /* until it has been looked at */
	};
}

static int read_names(struct listing *l, int fd, const struct listing_rules *rules)
{
	ssize_t n;
	while ((n = getdents64(fd, l->dents, DENTS_BYTES)) > 0) {
		for (const char *p = l->dents; p < l->dents + n;) {
			const struct dirent64 *d = (const struct dirent64 *)(const void *)p;
			take_name(l, d, rules);
			p += d->d_reclen;
		}
		if (atomic_load_explicit(rules->stopping, memory_order_relaxed)) {
			errno = ECANCELED;
			return -1;
		}
	}
	return n < 0 ? -1 : 0;
}

static int by_locality(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->locality, y = ((const struct entry *)b)->locality;
	return (x > y) - (x < y);
}

static void put_file(struct listing *l, struct entry *e, const struct stat *st, uint64_t now_ns, uint64_t settle_ns)
{
	char *text = room(l, VERSION_TEXT_MAX);
	uint64_t settles_in_ns = version_settles_in(st, now_ns, settle_ns);
	e->version = (struct slice){ text, version_format(st, text) };
	l->chunks->used += e->version.len;
	e->bytes = (uint64_t)st->st_size;
	e->locality = st->st_ino;
	e->kind = ENTRY_FILE;
	e->racy = version_racy(st, now_ns);
	if (settles_in_ns > 0) {
		e->kind = ENTRY_SETTLING;
		l->settling++;
		if (settles_in_ns < l->settles_in_ns)
			l->settles_in_ns = settles_in_ns;
	}
}

enum verdict { KEEP, DROP, SKIP, FAIL };

static enum verdict look_at(struct listing *l, struct entry *e, int fd, uint64_t now_ns, const struct listing_rules *rules)
{
	struct stat st;
	if (e->kind == ENTRY_DIRECTORY)
		return KEEP;
	if (fstatat(fd, e->name.p, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		if (errno == ENOENT)
			return DROP;
		if (errno == EACCES)
			return FAIL; /* the directory may be read but not searched */
		l->unreadable++;
		e->kind = ENTRY_SETTLING;
		e->racy = false;
		return KEEP;
	}
	bool directory = S_ISDIR(st.st_mode);
	if (e->racy && names_ignored(e->name.p, e->name.len, directory, rules->ignore))
		return SKIP;
	if (directory) {
		e->kind = ENTRY_DIRECTORY;
		e->racy = false;
		return KEEP;
	}
	if (!S_ISREG(st.st_mode))
		return SKIP;
	put_file(l, e, &st, now_ns, rules->settle_ns);
	return KEEP;
}

int listing_read(struct listing *l, int fd, const struct listing_rules *rules)
{
	size_t kept = 0;
	reset(l);
	if (read_names(l, fd, rules) < 0)
		return -1;
	if (l->count > 1)
		qsort(l->entries, l->count, sizeof(*l->entries), by_locality);
	uint64_t now_ns = clock_wall_ns(); /* before all looks: then every doubt is on the safe side */
	for (size_t i = 0; i < l->count; i++) {
		enum verdict v = look_at(l, &l->entries[i], fd, now_ns, rules);
		if (v == FAIL)
			return -1;
		if (i % LOOK_UP_EVERY == 0 && atomic_load_explicit(rules->stopping, memory_order_relaxed)) {
			errno = ECANCELED;
			return -1;
		}
		l->skipped += v == SKIP;
		if (v == KEEP)
			l->entries[kept++] = l->entries[i];
	}
	l->count = kept;
	return 0;
}
