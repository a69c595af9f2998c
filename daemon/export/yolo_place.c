/* yolo_place.c - a name for each file of a YOLO dataset. */
#include "daemon/export/yolo_place.h"

#include "daemon/base/hash.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/manifest/yolo_labels.h"

#include <stdlib.h>

#define PART_MAX 240U /* bytes of one part of a path, so that an extension has room within the 255 that file systems allow */
#define BASE_MAX 180U /* and a number before it */

/* ---- names given out ---- */

struct yolo_names {
	struct hash_key key;
	uint64_t *of;         /* [room] hashes, 0: free; room is a power of two, at most half of it used */
	size_t count, room;
};

struct yolo_names *yolo_names_new(void)
{
	struct yolo_names *n = mem_zero(1, sizeof(*n));
	hash_random(&n->key, sizeof(n->key));
	n->room = 64;
	n->of = mem_zero(n->room, sizeof(*n->of));
	return n;
}

void yolo_names_free(struct yolo_names *n)
{
	if (!n)
		return;
	free(n->of);
	free(n);
}

static uint64_t *slot_of(const struct yolo_names *n, uint64_t hash)
{
	size_t at = hash & (n->room - 1);
	while (n->of[at] && n->of[at] != hash)
		at = (at + 1) & (n->room - 1);
	return &n->of[at];
}

static void widen(struct yolo_names *n)
{
	struct yolo_names old = *n;
	n->room *= 2;
	n->of = mem_zero(n->room, sizeof(*n->of));
	for (size_t i = 0; i < old.room; i++)
		if (old.of[i])
			*slot_of(n, old.of[i]) = old.of[i];
	free(old.of);
}

/* false: it is given out already. */
static bool take(struct yolo_names *n, struct slice name)
{
	struct digest128 d = { 0 };
	digest128_add(&d, &n->key, name.p, name.len);
	uint64_t hash = d.lo ? d.lo : 1;
	uint64_t *slot = slot_of(n, hash);
	if (*slot)
		return false;
	*slot = hash;
	if (2 * ++n->count > n->room)
		widen(n);
	return true;
}

/* ---- names ---- */

/* Below the folder that it begins in, and no part of it too long. */
static bool stays_below(struct slice path)
{
	while (path.len) {
		const char *slash = memchr(path.p, '/', path.len);
		struct slice part = { path.p, slash ? (size_t)(slash - path.p) : path.len };
		if (part.len == 0 || part.len > PART_MAX || slice_eq(part, SLICE_LIT(".")) || slice_eq(part, SLICE_LIT("..")))
			return false;
		path = slash ? (struct slice){ slash + 1, path.len - part.len - 1 } : (struct slice){ 0 };
	}
	return true;
}

/* Behind the last folder "images" of the path; NULL: it has none. */
static const char *behind_images(struct slice path)
{
	const char *behind = NULL;
	for (size_t i = 0; i + 7 < path.len; i++)
		if (memcmp(path.p + i, "images/", 7) == 0 && (i == 0 || path.p[i - 1] == '/'))
			behind = path.p + i + 7;
	return behind;
}

/* As images/X/a.jpg came: labels/X/a.txt. Empty: it came otherwise, or from a place that cannot be kept. */
static struct slice as_came(struct entry *e, bool tree)
{
	struct slice path = e->where, split = YOLO_SPLIT(e->split);
	if (!e->listed || e->at != ROW_PATH)
		return (struct slice){ 0 };
	if (path.len > 2 && memcmp(path.p, "./", 2) == 0)
		path = (struct slice){ path.p + 2, path.len - 2 };
	const char *rest = stays_below(path) ? behind_images(path) : NULL;
	const char *dot = rest ? memrchr(rest, '.', (size_t)(path.p + path.len - rest)) : NULL;
	if (!dot || dot == rest || dot[-1] == '/' || memchr(dot, '/', (size_t)(path.p + path.len - dot)))
		return (struct slice){ 0 };
	if (!tree)
		return arena_printf(&e->arena, "%.*slabels/%.*s.txt", (int)(rest - 7 - path.p), path.p, (int)(dot - rest), rest);
	if ((size_t)(dot - rest) > split.len && memcmp(rest, split.p, split.len) == 0 && rest[split.len] == '/')
		rest += split.len + 1;
	return arena_printf(&e->arena, "labels/%.*s/%.*s.txt", (int)split.len, split.p, (int)(dot - rest), rest);
}

/* The last part of where the picture is. */
static struct slice last_part(const struct entry *e)
{
	struct slice s = e->where;
	for (size_t i = 0; e->at == ROW_URL && i < s.len; i++)
		if (s.p[i] == '?' || s.p[i] == '#')
			s.len = i;
	const char *slash = s.len ? memrchr(s.p, '/', s.len) : NULL;
	return slash ? (struct slice){ slash + 1, s.len - (size_t)(slash + 1 - s.p) } : s;
}

/* The same without its extension and what no file name should have. */
static struct slice base_of(struct entry *e)
{
	struct slice s = last_part(e);
	const char *dot = s.len ? memrchr(s.p, '.', s.len) : NULL;
	s.len = dot ? (size_t)(dot - s.p) : s.len;
	while (s.len > BASE_MAX || !text_is_utf8(s))
		s.len--;
	char *copy = arena_alloc(&e->arena, s.len + 1);
	for (size_t i = 0; i < s.len; i++)
		copy[i] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '_' : s.p[i];
	return (struct slice){ copy, s.len };
}

struct slice yolo_labels_place(struct yolo_names *n, struct entry *e, const struct item_full *it, bool tree)
{
	struct slice name = as_came(e, tree), split = YOLO_SPLIT(e->split);
	unsigned long long number = it->reference_count ? it->references[0].object : it->item.id;
	if (name.len && take(n, name))
		return name;
	struct slice base = base_of(e);
	name = arena_printf(&e->arena, "labels/%.*s/%llu-%.*s.txt", (int)split.len, split.p, number, (int)base.len, base.p);
	for (unsigned long long again = 2; !take(n, name); again++) /* a file of the data.yaml is called so, or an item is its object's number */
		name = arena_printf(&e->arena, "labels/%.*s/%llu-%llu-%.*s.txt", (int)split.len, split.p, number, again, (int)base.len, base.p);
	return name;
}

/* What trainers read; NULL: they do not. */
static const char *extension_of(struct slice media_type)
{
	static const char *const types[][2] = { { "image/jpeg", "jpg" }, { "image/png", "png" }, { "image/webp", "webp" },
		{ "image/tiff", "tif" }, { "image/bmp", "bmp" }, { "image/x-ms-bmp", "bmp" }, { "image/heic", "heic" },
		{ "image/heif", "heic" }, { "image/avif", "avif" }, { "image/jp2", "jp2" } };
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_eq(media_type, slice_of(types[i][0])))
			return types[i][1];
	return NULL;
}

struct slice yolo_picture_place(struct entry *e, const struct item *item, struct slice labels)
{
	const char *extension = extension_of(item->media_type);
	struct slice name = last_part(e);
	struct slice own = slice_of(extension);
	if ((extension || item->media_type.len == 0) && yolo_is_image(name)) {
		const char *dot = memrchr(name.p, '.', name.len);
		own = (struct slice){ dot + 1, (size_t)(name.p + name.len - dot - 1) };
	}
	if (own.len == 0)
		return own;
	size_t from = strlen("labels/"), stem = labels.len - from - strlen(".txt");
	return arena_printf(&e->arena, "images/%.*s.%.*s", (int)stem, labels.p + from, (int)own.len, own.p);
}
