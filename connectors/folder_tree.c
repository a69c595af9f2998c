/* folder_tree.c - two hash tables and a list over one set of nodes. */
#include "connectors/folder_tree.h"

#include "daemon/base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define BITS_MIN 6
#define DUE_STEP_NS (1ULL << 24) /* 17 ms: times of many directories fall together, so that one pass takes them all */

void tree_init(struct tree *t)
{
	*t = (struct tree){ .bits = BITS_MIN, .first_due_ns = UINT64_MAX };
	t->names = mem_zero((size_t)1 << t->bits, sizeof(*t->names));
	t->wds = mem_zero((size_t)1 << t->bits, sizeof(*t->wds));
	hash_random(&t->key, sizeof(t->key));
}

static void unwatch_nothing(void *arg, int wd)
{
	(void)arg;
	(void)wd;
}

void tree_done(struct tree *t)
{
	if (t->root)
		tree_remove(t, t->root, unwatch_nothing, NULL);
	tree_forget_dead(t);
	free(t->names);
	free(t->wds);
}

static struct node **name_bucket(const struct tree *t, uint32_t hash)
{
	return &t->names[hash & (((uint32_t)1 << t->bits) - 1)];
}

static struct node **wd_bucket(const struct tree *t, int wd)
{
	return &t->wds[(uint32_t)wd & (((uint32_t)1 << t->bits) - 1)];
}

static uint32_t hash_name(const struct tree *t, const struct node *parent, struct slice name)
{
	struct digest128 d = { (uintptr_t)parent, 0 };
	digest128_add(&d, &t->key, name.p, name.len);
	return (uint32_t)((d.lo * 0x9e3779b97f4a7c15ULL) >> 32);
}

static void grow(struct tree *t)
{
	struct tree old = *t;
	t->bits++;
	t->names = mem_zero((size_t)1 << t->bits, sizeof(*t->names));
	t->wds = mem_zero((size_t)1 << t->bits, sizeof(*t->wds));
	for (size_t i = 0; i < (size_t)1 << old.bits; i++) {
		for (struct node *n = old.names[i], *next; n; n = next) {
			next = n->name_next;
			n->name_next = *name_bucket(t, n->hash);
			*name_bucket(t, n->hash) = n;
		}
		for (struct node *n = old.wds[i], *next; n; n = next) {
			next = n->wd_next;
			n->wd_next = *wd_bucket(t, n->wd);
			*wd_bucket(t, n->wd) = n;
		}
	}
	free(old.names);
	free(old.wds);
}

struct node *tree_child(const struct tree *t, const struct node *parent, struct slice name)
{
	uint32_t hash = hash_name(t, parent, name);
	for (struct node *n = *name_bucket(t, hash); n; n = n->name_next) {
		if (n->hash == hash && n->parent == parent && slice_eq((struct slice){ n->name, n->name_len }, name))
			return n;
	}
	return NULL;
}

static struct slice cut_name(struct slice *path)
{
	const char *end = memchr(path->p, '/', path->len);
	struct slice name = { path->p, end ? (size_t)(end - path->p) : path->len };
	size_t used = name.len + (end ? 1 : 0);
	*path = (struct slice){ path->p + used, path->len - used };
	return name;
}

struct node *tree_find(const struct tree *t, struct slice path)
{
	struct node *n = t->root;
	while (n && path.len > 0)
		n = tree_child(t, n, cut_name(&path));
	return n;
}

static struct node *node_new(struct tree *t, struct node *parent, struct slice name)
{
	assert(name.len <= 255);
	if (t->nodes >> t->bits)
		grow(t);
	struct node *n = mem_zero(1, sizeof(*n) + name.len + 1);
	n->wd = NODE_UNWATCHED;
	n->parent = parent;
	n->name_len = (uint8_t)name.len;
	if (name.len > 0)
		memcpy(n->name, name.p, name.len);
	n->hash = hash_name(t, parent, name);
	n->name_next = *name_bucket(t, n->hash);
	*name_bucket(t, n->hash) = n;
	n->link = parent ? &parent->children : &t->root;
	n->next = *n->link;
	if (n->next)
		n->next->link = &n->next;
	*n->link = n;
	t->nodes++;
	return n;
}

struct node *tree_add(struct tree *t, struct slice path)
{
	struct node *n = t->root;
	if (path.len == 0)
		return n ? n : node_new(t, NULL, path);
	while (n) {
		struct slice name = cut_name(&path);
		struct node *child = tree_child(t, n, name);
		if (path.len == 0)
			return child ? child : node_new(t, n, name);
		n = child;
	}
	return NULL;
}

struct node *tree_holder(const struct tree *t, int wd, const struct node *after)
{
	struct node *n = after ? after->wd_next : *wd_bucket(t, wd);
	while (n && n->wd != wd)
		n = n->wd_next;
	return n;
}

void tree_bind(struct tree *t, struct node *n, int wd)
{
	assert(n->wd == NODE_UNWATCHED && wd >= 0);
	n->wd = wd;
	n->wd_next = *wd_bucket(t, wd);
	*wd_bucket(t, wd) = n;
	t->watched += !n->dead;
}

static void unbind(struct tree *t, struct node *n)
{
	struct node **link = wd_bucket(t, n->wd);
	while (*link != n)
		link = &(*link)->wd_next;
	*link = n->wd_next;
	n->wd = NODE_UNWATCHED;
	t->watched -= !n->dead;
}

void tree_release(struct tree *t, struct node *n, unwatch_fn *unwatch, void *arg)
{
	int wd = n->wd;
	if (wd == NODE_UNWATCHED)
		return;
	unbind(t, n);
	if (tree_holder(t, wd, NULL))
		return;
	unwatch(arg, wd);
	tree_bury(t, wd);
}

void tree_bury(struct tree *t, int wd)
{
	struct node *dead = mem_zero(1, sizeof(*dead) + 1);
	dead->dead = true;
	dead->wd = NODE_UNWATCHED;
	tree_bind(t, dead, wd);
}

void tree_lost(struct tree *t, int wd, uint64_t due_ns)
{
	for (struct node *n; (n = tree_holder(t, wd, NULL));) {
		unbind(t, n);
		if (n->dead)
			free(n);
		else
			tree_due(t, n, due_ns);
	}
}

void tree_forget_dead(struct tree *t)
{
	for (size_t i = 0; i < (size_t)1 << t->bits; i++) {
		for (struct node *n = t->wds[i], *next; n; n = next) {
			next = n->wd_next;
			if (n->dead) {
				unbind(t, n);
				free(n);
			}
		}
	}
}

void tree_remove(struct tree *t, struct node *n, unwatch_fn *unwatch, void *arg)
{
	struct node **link = name_bucket(t, n->hash);
	for (struct node *child = n->children, *next; child; child = next) {
		next = child->next;
		tree_remove(t, child, unwatch, arg); /* no deeper than the scan goes */
	}
	tree_release(t, n, unwatch, arg);
	tree_clean(t, n);
	while (*link != n)
		link = &(*link)->name_next;
	*link = n->name_next;
	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;
	t->nodes--;
	t->remote -= n->remote;
	t->denied -= n->denied;
	free(n);
}

void tree_due(struct tree *t, struct node *n, uint64_t due_ns)
{
	if (due_ns < n->rest_until_ns)
		due_ns = n->rest_until_ns;
	due_ns = (due_ns + DUE_STEP_NS - 1) & ~(DUE_STEP_NS - 1);
	if (!n->due_link) {
		n->due_link = &t->due;
		n->due_next = t->due;
		if (n->due_next)
			n->due_next->due_link = &n->due_next;
		t->due = n;
		t->due_count++;
	} else if (n->due_ns <= due_ns) {
		return;
	}
	n->due_ns = due_ns;
	if (due_ns < t->first_due_ns)
		t->first_due_ns = due_ns;
}

void tree_clean(struct tree *t, struct node *n)
{
	if (!n->due_link)
		return;
	*n->due_link = n->due_next;
	if (n->due_next)
		n->due_next->due_link = n->due_link;
	n->due_link = NULL;
	if (--t->due_count == 0)
		t->first_due_ns = UINT64_MAX;
}

void tree_first_due(struct tree *t)
{
	t->first_due_ns = UINT64_MAX;
	for (const struct node *n = t->due; n; n = n->due_next) {
		if (n->due_ns < t->first_due_ns)
			t->first_due_ns = n->due_ns;
	}
}

void tree_path(const struct node *n, struct buf *to)
{
	if (!n->parent)
		return;
	tree_path(n->parent, to);
	if (n->parent->parent)
		buf_char(to, '/');
	buf_add(to, n->name, n->name_len);
}
