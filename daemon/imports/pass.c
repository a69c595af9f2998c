/* pass.c - passes over manifests, and what of them is under way to the disk. */
#include "daemon/imports/pass.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"

#include <stdlib.h>

/* --- passes --- */

struct import_pass *import_pass_new(uint64_t import, struct slice name)
{
	struct import_pass *pass = mem_zero(1, sizeof(*pass));
	pthread_mutex_init(&pass->lock, NULL);
	pthread_cond_init(&pass->landed, NULL);
	pass->import = import;
	pass->name = mem_strndup(name.p, name.len);
	return pass;
}

void import_pass_free(struct import_pass *pass)
{
	bitset_done(&pass->seen);
	bitset_done(&pass->moved);
	bitset_done(&pass->told);
	places_done(&pass->places);
	buf_done(&pass->refused);
	pthread_cond_destroy(&pass->landed);
	pthread_mutex_destroy(&pass->lock);
	free(pass->name);
	free(pass);
}

/* Frees what has ended and is used by nobody. The lock is held. */
static void sweep(struct imports *i)
{
	for (struct import_pass **at = &i->passes; *at;) {
		struct import_pass *pass = *at;
		if (pass->ended && pass->users == 0) {
			*at = pass->next;
			import_pass_free(pass);
		} else {
			at = &pass->next;
		}
	}
}

struct import_pass *import_pass_get(struct imports *imports, uint64_t id, struct err *err)
{
	struct import_pass *pass;
	pthread_mutex_lock(&imports->lock);
	for (pass = imports->passes; pass; pass = pass->next)
		if (pass->id == id && !pass->ended)
			break;
	if (pass)
		pass->users++;
	pthread_mutex_unlock(&imports->lock);
	if (!pass)
		(void)err_set(err, ERR_REJECT, 0,
			"this pass over the manifest is not under way any more: inletd was started anew, or the manifest is imported "
			"by another command; import it again, it goes on where it was");
	return pass;
}

void import_pass_put(struct imports *imports, struct import_pass *pass)
{
	pthread_mutex_lock(&imports->lock);
	pass->users--;
	sweep(imports);
	pthread_mutex_unlock(&imports->lock);
}

/* Is a pass over all of it under way? The lock is held. */
static bool is_read(const struct imports *i, uint64_t import)
{
	const struct import_pass *pass = i->passes;
	while (pass && (pass->import != import || pass->ended || pass->mending))
		pass = pass->next;
	return pass != NULL;
}

bool import_is_read(struct imports *imports, uint64_t import)
{
	pthread_mutex_lock(&imports->lock);
	bool read = is_read(imports, import);
	pthread_mutex_unlock(&imports->lock);
	return read;
}

uint64_t import_pass_add(struct imports *i, struct import_pass *pass)
{
	uint64_t id = 0;
	pthread_mutex_lock(&i->lock);
	if (!pass->mending || !is_read(i, pass->import)) {
		for (struct import_pass *other = i->passes; other; other = other->next)
			if (other->import == pass->import)
				other->ended = true;
		id = pass->id = i->next_id++;
		pass->next = i->passes;
		i->passes = pass;
		sweep(i);
	}
	pthread_mutex_unlock(&i->lock);
	return id;
}

/* --- cargoes --- */

/* The first failure of the pass, which is its last word; the lock is held. */
static int failed(const struct import_pass *pass, struct err *err)
{
	if (pass->failed.class == 0)
		return 0;
	*err = pass->failed;
	return -1;
}

int import_pass_failed(struct import_pass *pass, struct err *err)
{
	pthread_mutex_lock(&pass->lock);
	int r = failed(pass, err);
	pthread_mutex_unlock(&pass->lock);
	return r;
}

int import_pass_claim(struct import_pass *pass, uint64_t *ret_frames, struct err *err)
{
	pthread_mutex_lock(&pass->lock);
	int r = failed(pass, err);
	if (r == 0 && pass->uploading)
		r = err_set(err, ERR_REJECT, 0, "another upload of this pass is under way");
	if (r == 0) {
		pass->uploading = true;
		*ret_frames = pass->frames;
	}
	pthread_mutex_unlock(&pass->lock);
	return r;
}

/* The lock is held. */
static void refuse(struct import_pass *pass, struct slice refused)
{
	if (refused.len && pass->refused.len)
		buf_char(&pass->refused, ',');
	buf_add(&pass->refused, refused.p, refused.len);
}

void import_pass_unclaim(struct import_pass *pass, uint64_t frames, struct slice refused)
{
	pthread_mutex_lock(&pass->lock);
	refuse(pass, refused);
	pass->uploading = false;
	pass->frames = frames;
	pthread_mutex_unlock(&pass->lock);
}

void import_pass_launch(struct imports *imports, struct import_pass *pass, size_t bytes)
{
	pthread_mutex_lock(&imports->lock);
	pass->users++;
	pthread_mutex_unlock(&imports->lock);
	pthread_mutex_lock(&pass->lock);
	pass->flying++;
	pass->flying_bytes += bytes;
	pthread_mutex_unlock(&pass->lock);
}

void import_pass_land(struct imports *imports, struct import_pass *pass, const struct import_landing *l, const struct err *err)
{
	pthread_mutex_lock(&pass->lock);
	if (err && pass->failed.class == 0)
		pass->failed = *err;
	refuse(pass, l->refused);
	pass->durable = l->frames;
	pass->flying--;
	pass->flying_bytes -= l->bytes;
	pthread_cond_broadcast(&pass->landed);
	pthread_mutex_unlock(&pass->lock);
	import_pass_put(imports, pass);
}

int import_pass_await(struct import_pass *pass, size_t bytes, struct err *err)
{
	pthread_mutex_lock(&pass->lock);
	while (bytes ? pass->flying_bytes > bytes : pass->flying > 0)
		pthread_cond_wait(&pass->landed, &pass->lock);
	int r = failed(pass, err);
	pthread_mutex_unlock(&pass->lock);
	return r;
}

void import_pass_tell(struct import_pass *pass, uint64_t *ret_durable, struct buf *ret_refused)
{
	pthread_mutex_lock(&pass->lock);
	*ret_durable = pass->flying ? pass->durable : pass->frames;
	*ret_refused = pass->refused;
	pass->refused = (struct buf){ 0 };
	pthread_mutex_unlock(&pass->lock);
}
