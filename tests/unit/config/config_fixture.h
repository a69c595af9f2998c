/* config_fixture.h - a fresh directory with a configuration in it, loaded or refused. */
#ifndef INLET_TESTS_UNIT_CONFIG_CONFIG_FIXTURE_H
#define INLET_TESTS_UNIT_CONFIG_CONFIG_FIXTURE_H

#include "config/config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"
#include "tests/unit/put_file.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct fixture {
	char dir[64];      /* a fresh directory; the configuration is dir/inlet.yaml */
	char *file;
	struct config *c;
	struct err err;
};

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)flag, (void)at;
	return remove(path);
}

static inline void write_file(struct fixture *f, const char *name, const char *text)
{
	CLEANUP(freep) char *path = mem_printf("%s/%s", f->dir, name);
	put_file(AT_FDCWD, path, slice_of(text), 0644);
}

static inline int set_up(void **state)
{
	struct fixture *f = mem_zero(1, sizeof(*f));
	strcpy(f->dir, "/tmp/inlet-config-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->file = mem_printf("%s/inlet.yaml", f->dir);
	CLEANUP(freep) char *models = mem_printf("%s/models", f->dir);
	if (mkdir(models, 0755) < 0)
		return -1;
	write_file(f, "models/image-default.yaml", "name: image-default\n");
	write_file(f, "models/banded.yaml",
		"bands: {accept: 0.9, review: 0.5, concepts: {cat: {accept: 0.6}, dog: {review: 0.1}}}\n");
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	config_free(f->c);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->file);
	free(f);
	return 0;
}

static inline struct config *load(struct fixture *f, const char *text)
{
	write_file(f, "inlet.yaml", text);
	config_free(TAKE_PTR(f->c));
	if (config_load(f->file, &f->c, &f->err) < 0)
		fail_msg("%s", f->err.text);
	return f->c;
}

/* The refusal reads: the directory, `place`, the message. "$D" in the message stands for the directory. */
static inline void assert_refused(struct fixture *f, const char *place, const char *message)
{
	assert_int_equal(f->err.class, ERR_REJECT);
	CLEANUP(buf_done) struct buf want = { 0 };
	buf_printf(&want, "%s%s", f->dir, place);
	for (const char *p = message; *p; p++) {
		if (strncmp(p, "$D", 2) == 0)
			buf_str(&want, f->dir), p++;
		else
			buf_char(&want, *p);
	}
	assert_string_equal(f->err.text, want.data);
}

static inline void refused(struct fixture *f, const char *text, const char *message)
{
	write_file(f, "inlet.yaml", text);
	assert_int_equal(config_load(f->file, &f->c, &f->err), -1);
	assert_refused(f, "", message);
}

static inline void assert_path(struct fixture *f, const char *path, const char *name)
{
	CLEANUP(freep) char *want = mem_printf("%s/%s", f->dir, name);
	assert_string_equal(path, want);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
