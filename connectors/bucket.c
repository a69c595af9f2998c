/* bucket.c - what every bucket source shares: its identity, its poll timer, and the words for what a pass found. */
#include "connectors/bucket.h"

#include "connectors/key_filter.h"
#include "daemon/base/clock.h"
#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define OFFLINE_BASE_MS 1000U
#define OFFLINE_CAP_MS 60000U
#define SKEW_OK_MS 2000     /* the Date of an answer has whole seconds */
#define SKEW_WARN_MS 60000

void bucket_init(struct bucket *b, const char *scheme, const struct bucket_config *config)
{
	*b = (struct bucket){ .config = config, .scheme = scheme };
	pthread_mutex_init(&b->lock, NULL);
	b->due_ns = clock_mono_ns();
}

void bucket_done(struct bucket *b)
{
	pthread_mutex_destroy(&b->lock);
}

static struct slice prefix_of(const struct bucket *b)
{
	return slice_of(b->config->prefix ? b->config->prefix : "");
}

static void printable(struct slice s, char *ret_text, size_t size)
{
	struct buf text = { 0 };
	text_printable(&text, s);
	(void)snprintf(ret_text, size, "%s", text.data ? text.data : "");
	buf_done(&text);
}

void bucket_describe(const struct bucket *b, struct slice key, char *ret_text, size_t size)
{
	int n = snprintf(ret_text, size, "%s://%s/", b->scheme, b->config->bucket);
	if (n >= 0 && (size_t)n < size)
		printable(key, ret_text + n, size - (size_t)n);
}

void bucket_begin(struct bucket *b)
{
	atomic_store(&b->listed, 0);
	atomic_store(&b->wanted, 0);
	atomic_store(&b->archived, 0);
	atomic_store(&b->sampled, false);
	pthread_mutex_lock(&b->lock);
	b->sample[0] = '\0';
	(void)snprintf(b->root, sizeof(b->root), "%s://%s", b->scheme, b->config->bucket);
	pthread_mutex_unlock(&b->lock);
}

bool bucket_wants(struct bucket *b, struct slice key)
{
	struct slice prefix = prefix_of(b);
	if (key.len < prefix.len || memcmp(key.p, prefix.p, prefix.len) != 0)
		return false;
	struct slice rest = { key.p + prefix.len, key.len - prefix.len };
	if (key_filter(b->config->include, b->config->exclude, rest))
		return true;
	if (!atomic_exchange(&b->sampled, true)) {
		pthread_mutex_lock(&b->lock);
		printable(rest, b->sample, sizeof(b->sample));
		pthread_mutex_unlock(&b->lock);
	}
	return false;
}

bool bucket_saw_nothing(const struct bucket *b)
{
	return b->config->prefix && b->config->prefix[0] && atomic_load(&b->listed) == 0;
}

/* Three states that all look like "no files", and need different cures. */
static void describe_nothing(const struct bucket *b, bool in_bucket, uint64_t listed, char *to, size_t size)
{
	const char *name = b->config->bucket;
	char prefix[80];
	printable(prefix_of(b), prefix, sizeof(prefix));
	if (listed > 0)
		(void)snprintf(to, size, "the filters match 0 of %" PRIu64 " keys in %s://%.64s/%s: `include` and `exclude` are matched "
			"with the whole key after the prefix, '*' matches any byte and '/' too. A key they refuse: '%s'", listed,
			b->scheme, name, prefix, b->sample);
	else if (in_bucket)
		(void)snprintf(to, size, "the prefix does not exist: no key of %s://%.64s begins with '%s', though the bucket holds "
			"others. A prefix is compared byte for byte; most end with '/' and none begins with it", b->scheme, name, prefix);
	else
		(void)snprintf(to, size, "the bucket is empty: %s://%.64s holds no object at all. If you expect some: is this the bucket, "
			"and the endpoint, that they were put into?", b->scheme, name);
}

void bucket_went_through(struct bucket *b, bool in_bucket)
{
	uint64_t listed = atomic_load(&b->listed), wanted = atomic_load(&b->wanted), archived = atomic_load(&b->archived);
	pthread_mutex_lock(&b->lock);
	b->offline = false;
	b->failures = 0;
	b->message[0] = '\0';
	if (wanted == 0)
		describe_nothing(b, in_bucket, listed, b->message, sizeof(b->message));
	else if (archived > 0)
		(void)snprintf(b->message, sizeof(b->message), "%" PRIu64 " of %" PRIu64 " object%s %s in an archive class: noted, and "
			"fetched by the first pass after being restored", archived, wanted, text_s(wanted), archived == 1 ? "lies" : "lie");
	b->due_ns = clock_mono_ns() + b->config->poll_ms * NS_PER_MS;
	pthread_mutex_unlock(&b->lock);
}

void bucket_failed(struct bucket *b, const struct err *why)
{
	if (atomic_load(&b->stopping))
		return;
	pthread_mutex_lock(&b->lock);
	uint64_t wait_ms = backoff_ms(b->failures++, OFFLINE_BASE_MS, OFFLINE_CAP_MS);
	if (wait_ms < why->wait_ms)
		wait_ms = why->wait_ms;
	b->offline = true;
	b->due_ns = clock_mono_ns() + wait_ms * NS_PER_MS;
	(void)snprintf(b->message, sizeof(b->message), "%s", why->text);
	pthread_mutex_unlock(&b->lock);
}

void bucket_pump(struct bucket *b, uint64_t *ret_due_ns, enum discover_scope *ret_scope)
{
	pthread_mutex_lock(&b->lock);
	*ret_due_ns = b->due_ns;
	pthread_mutex_unlock(&b->lock);
	*ret_scope = DISCOVER_ALL;
}

void bucket_status(struct bucket *b, struct source_status *ret)
{
	*ret = (struct source_status){ .health = SOURCE_POLLED };
	pthread_mutex_lock(&b->lock);
	if (b->offline)
		ret->health = SOURCE_OFFLINE;
	(void)snprintf(ret->message, sizeof(ret->message), "%s", b->message);
	(void)snprintf(ret->root, sizeof(ret->root), "%s", b->root);
	pthread_mutex_unlock(&b->lock);
}

void bucket_stop(struct bucket *b)
{
	atomic_store(&b->stopping, true);
}

void bucket_check_file(const char *credentials, check_fn *tell, void *arg)
{
	struct stat st;
	char found[400];
	if (!credentials || stat(credentials, &st) < 0 || (st.st_mode & 0007) == 0)
		return;
	(void)snprintf(found, sizeof(found), "%s may be read by others (mode %03o)", credentials, st.st_mode & 0777U);
	tell(arg, "warning", "credentials file", found, "chmod 600, or hand it over as a systemd credential (LoadCredential=)");
}

void bucket_check_clock(int64_t server_ms, int64_t error_ms, check_fn *tell, void *arg)
{
	int64_t skew_ms = clock_wall_ms() - server_ms, off_ms = skew_ms < 0 ? -skew_ms : skew_ms;
	char found[120];
	if (server_ms == 0) {
		tell(arg, "warning", "clock", "the server sends no Date: not compared", "");
		return;
	}
	(void)snprintf(found, sizeof(found), "%" PRId64 " s %s of the server's", off_ms / 1000, skew_ms < 0 ? "behind" : "ahead");
	if (off_ms < SKEW_WARN_MS)
		tell(arg, "ok", "clock", off_ms < SKEW_OK_MS ? "as the server's" : found, "");
	else
		tell(arg, off_ms < error_ms ? "warning" : "error", "clock", found, "set this host's clock: timedatectl set-ntp true");
}
