/* named_files.c - looks at the files that sources name, before a daemon does. */
#include "config/named_files.h"

#include "config/path.h"
#include "config/source_config.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define PEM_MAX (16U << 20)

CLEANUP_FN(BIO *, BIO_free)
CLEANUP_FN(X509 *, X509_free)

/* A key of one source, and the file that it names. */
struct named {
	const struct option_place *at;
	const struct yaml_node *node;
	const char *key, *path;
};

static int refuse(const struct named *f, const char *why, struct err *err)
{
	return option_err(err, f->at, f->node, f->key, "'%s': %s", f->path, why);
}

/* As open() fails, with the cure where this user is the reason. */
static int check_readable(const struct named *f, struct err *err)
{
	CLEANUP(close_fdp) int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 && errno == EACCES)
		return option_err(err, f->at, f->node, f->key, "'%s' cannot be read by user %u: give the user of inletd the right to, or "
			"check as that user", f->path, geteuid());
	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(f, strerror(errno), err);
	return S_ISREG(st.st_mode) ? 0 : refuse(f, "is no file", err);
}

static int check_pem(const struct named *f, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	if (check_readable(f, err) < 0)
		return -1;
	struct err why;
	if (file_slurp(AT_FDCWD, f->path, PEM_MAX, &text, &why) < 0)
		return refuse(f, why.text, err);
	CLEANUP(BIO_freep) BIO *in = BIO_new_mem_buf(text.data, (int)text.len);
	for (size_t count = 0;; count++) {
		CLEANUP(X509_freep) X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
		if (certificate)
			continue;
		bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
		ERR_clear_error();
		if (end && count > 0)
			return 0;
		if (end)
			return refuse(f, "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----); DER is turned into it by openssl x509 "
				"-inform der", err);
		return option_err(err, f->at, f->node, f->key, "'%s': certificate %zu in it is damaged", f->path, count + 1);
	}
}

/* What systemd hands over is there from the start of the service on. */
static bool comes_with_the_service(const char *path)
{
	return path_inside(path, "/run/credentials") && access(path, F_OK) < 0;
}

static int check_bucket(const struct source_config *s, const struct yaml_node *n, const struct option_place *at, struct err *err)
{
	const char *credentials = strcmp(s->scheme, "s3") == 0 ? s->s3.credentials : s->gcs.credentials;
	const struct named ca = { at, yaml_get(n, "ca_file"), "ca_file", s->bucket.ca_file };
	const struct named secret = { at, yaml_get(n, "credentials"), "credentials", credentials };
	if (ca.path && check_pem(&ca, err) < 0)
		return -1;
	return secret.path && !comes_with_the_service(secret.path) ? check_readable(&secret, err) : 0;
}

int named_files_check(const struct config *c, const struct yaml_node *root, const struct option_place *at, struct err *err)
{
	const struct yaml_node *list = yaml_get(root, "sources");
	for (size_t i = 0; i < c->source_count; i++) {
		const struct source_config *s = &c->sources[i];
		if (!source_config_is_bucket(s))
			continue;
		CLEANUP(freep) char *prefix = source_config_section(i, s);
		struct option_place here = { .file = at->file, .dir = at->dir, .prefix = prefix };
		if (check_bucket(s, source_config_place(list, i, s), &here, err) < 0)
			return -1;
	}
	return 0;
}
