/* s3_endpoint.c - makes host and clients from the configuration and a region. */
#include "connectors/s3_endpoint.h"

#include "daemon/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNECTIONS 64        /* kept open, at least */
#define HOST_LABELS "abcdefghijklmnopqrstuvwxyz0123456789-."
#define HOST_BUCKET_MAX 63
#define LIST_IDLE_MS 300000U

static int set_host(struct s3_endpoint *e, const struct bucket_config *at, struct err *err)
{
	struct url url;
	if (!at->endpoint) {
		/* China's partition has a domain of its own; those of closed networks are configured as endpoints. */
		(void)snprintf(e->host, sizeof(e->host), "s3.%s.amazonaws.com%s", e->region,
			strncmp(e->region, "cn-", 3) == 0 ? ".cn" : "");
		e->https = true;
		return 0;
	}
	if (url_parse(at->endpoint, &url, err) < 0)
		return err_wrap(err, "endpoint");
	if (url.target.len > 1)
		return err_set(err, ERR_REJECT, 0, "endpoint '%.200s' has a path: it is a scheme, a host and a port", at->endpoint);
	bool brackets = url.literal && strchr(url.host, ':');
	int n = snprintf(e->host, sizeof(e->host), "%s%s%s", brackets ? "[" : "", url.host, brackets ? "]" : "");
	e->https = url.https;
	if (url.port != (url.https ? 443 : 80))
		(void)snprintf(e->host + n, sizeof(e->host) - (size_t)n, ":%u", url.port);
	e->path_style = url.literal; /* no name to put the bucket in front of */
	return 0;
}

static int open_clients(struct s3_endpoint *e, const struct bucket_config *at, const atomic_bool *stopping, struct err *err)
{
	char url[sizeof(e->authority) + sizeof("https://")];
	struct http_rules rules = { .ca_file = at->ca_file, .proxy = at->proxy, .stopping = stopping,
		.connections = at->concurrency > CONNECTIONS ? at->concurrency : CONNECTIONS };
	(void)snprintf(url, sizeof(url), "%s://%s", e->https ? "https" : "http", e->authority);
	e->guard = guard_new();
	if (guard_allow_endpoint(e->guard, url, err) < 0)
		return err_wrap(err, "endpoint %s", url);
	rules.guard = e->guard;
	rules.lean = true;
	e->objects = http_new(&rules);
	rules.idle_ms = LIST_IDLE_MS;
	rules.connections = 2;
	e->listings = http_new(&rules);
	return 0;
}

/* Can the bucket stand in front of the host? Old ones have names that no host has; and no wildcard certificate covers a dot. */
static bool is_host_name(const char *bucket, bool https)
{
	size_t len = strlen(bucket);
	return len <= HOST_BUCKET_MAX && strspn(bucket, HOST_LABELS) == len && !(https && strchr(bucket, '.'));
}

int s3_endpoint_new(const struct s3_config *config, const char *region, const atomic_bool *stopping, struct s3_endpoint **ret,
	struct err *err)
{
	struct s3_endpoint *e = mem_zero(1, sizeof(*e));
	(void)snprintf(e->region, sizeof(e->region), "%s", region);
	if (set_host(e, &config->at, err) < 0)
		goto undo;
	e->path_style |= config->path_style || !is_host_name(config->at.bucket, e->https);
	(void)snprintf(e->authority, sizeof(e->authority), "%s%s%s", e->path_style ? "" : config->at.bucket, e->path_style ? "" : ".",
		e->host);
	if (open_clients(e, &config->at, stopping, err) < 0)
		goto undo;
	*ret = e;
	return 0;
undo:
	s3_endpoint_free(e);
	return -1;
}

void s3_endpoint_free(struct s3_endpoint *e)
{
	if (!e)
		return;
	http_free(e->objects);
	http_free(e->listings);
	guard_free(e->guard);
	free(e);
}
