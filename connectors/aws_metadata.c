/* aws_metadata.c - the two endpoints that AWS puts beside a program, asked with short patience. */
#include "connectors/aws_metadata.h"

#include "connectors/aws_answer.h"
#include "connectors/aws_ask.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/file.h"
#include "daemon/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>

#define TOKEN_MAX 65536U
#define CONTAINER_MS 3000U
#define INSTANCE_CONNECT_MS 1000U
#define INSTANCE_MS 2000U
#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"

static const char *set_in_environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Plain http carries the token in the clear: to this host, or to the addresses that AWS reserves for it, only. */
static int check_container_host(const char *url, struct err *err)
{
	static const char *const allowed[] = { "169.254.170.2", "169.254.170.23", "fd00:ec2::23" };
	struct url parts;
	struct in_addr v4;
	if (url_parse(url, &parts, err) < 0)
		return err_wrap(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	if (parts.https || strcmp(parts.host, "localhost") == 0 || strcmp(parts.host, "::1") == 0)
		return 0;
	if (parts.literal && inet_pton(AF_INET, parts.host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127)
		return 0;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (strcmp(parts.host, allowed[i]) == 0)
			return 0;
	}
	return err_set(err, ERR_REJECT, EACCES, "AWS_CONTAINER_CREDENTIALS_FULL_URI names %s over plain http; only this host and "
		"AWS's container addresses may be asked so", parts.host);
}

/* The token file is read each time: EKS renews it. */
static int container_token(struct buf *to, struct err *err)
{
	const char *file = set_in_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = set_in_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (!file && !token)
		return 0;
	(void)buf_grow(to, file ? TOKEN_MAX + 64 : strlen(token) + 64);
	buf_str(to, "Authorization: ");
	if (!file)
		buf_str(to, token);
	else if (file_slurp(AT_FDCWD, file, TOKEN_MAX, to, err) < 0)
		return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	while (to->len && (to->data[to->len - 1] == '\n' || to->data[to->len - 1] == '\r'))
		to->data[--to->len] = '\0';
	return 0;
}

/* An answer that must be 200. What is refused today (a token that was renewed too late, a role not attached yet) may be given
 * tomorrow. */
static int ask_for(const struct aws_ask *ask, struct http_reply *ret, struct err *err)
{
	if (aws_ask(ask, ret, err) < 0)
		return -1;
	if (ret->status == 200)
		return 0;
	(void)http_refused(&ask->request, ret, err);
	if (err)
		err->class = ERR_RETRY;
	return -1;
}

int aws_container_get(const atomic_bool *stopping, struct aws_credentials *ret, struct err *err)
{
	const char *relative = set_in_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = set_in_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf token = { 0 };
	struct http_reply reply = { 0 };
	if (!relative && !full)
		return 0;
	if (relative && relative[0] != '/')
		return err_set(err, ERR_REJECT, 0, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'");
	CLEANUP(freep) char *url = relative ? mem_printf("http://169.254.170.2%s", relative) : mem_strdup(full);
	if (check_container_host(url, err) < 0)
		return -1;
	int rc = container_token(&token, err);
	if (rc == 0) {
		const char *const headers[] = { "Accept: application/json", token.data, NULL };
		rc = ask_for(&(struct aws_ask){ .request = { .url = url, .headers = headers, .limit = AWS_ANSWER_MAX,
			.total_ms = CONTAINER_MS }, .connect_ms = CONTAINER_MS, .stopping = stopping }, &reply, err);
	}
	if (rc == 0)
		rc = aws_answer_json(buf_slice(&reply.body), ret, err);
	aws_ask_done(&reply);
	buf_wipe(&token);
	if (rc < 0)
		return err_wrap(err, "container credentials");
	(void)snprintf(ret->origin, sizeof(ret->origin), "the container's credentials endpoint");
	return 1;
}

static char *instance_endpoint(void)
{
	const char *named = set_in_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = set_in_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	if (named) {
		size_t len = strlen(named);
		return mem_strndup(named, named[len - 1] == '/' ? len - 1 : len);
	}
	return mem_strdup(mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
}

/* One request below the endpoint. header: the token's. */
static int instance_ask(const char *endpoint, const char *method, const char *path, const char *header,
	const atomic_bool *stopping, struct http_reply *ret, struct err *err)
{
	CLEANUP(freep) char *url = mem_printf("%s%s", endpoint, path);
	const char *const headers[] = { header, NULL };
	bool put = strcmp(method, "PUT") == 0;
	return ask_for(&(struct aws_ask){ .request = { .method = method, .url = url, .headers = headers,
		.body = { put ? "" : NULL, 0 }, .limit = AWS_ANSWER_MAX, .total_ms = INSTANCE_MS }, .connect_ms = INSTANCE_CONNECT_MS,
		.stopping = stopping }, ret, err);
}

/* "X-aws-ec2-metadata-token: ...": version 2 of the protocol only; version 1 is what forged requests live on. */
static int instance_token(const char *endpoint, const atomic_bool *stopping, struct buf *ret_header, struct err *err)
{
	struct http_reply reply = { 0 };
	int rc = instance_ask(endpoint, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600", stopping, &reply, err);
	if (rc == 0) {
		(void)buf_grow(ret_header, reply.body.len + 64);
		buf_str(ret_header, "X-aws-ec2-metadata-token: ");
		buf_add(ret_header, reply.body.data, reply.body.len);
	} else if (err && reply.status == 0 && err->sys == ETIMEDOUT) {
		(void)err_wrap(err, "no token (in a container on EC2 raise the hop limit: aws ec2 modify-instance-metadata-options "
			"--http-put-response-hop-limit 2)");
	}
	aws_ask_done(&reply);
	return rc;
}

static int instance_role(const char *endpoint, const char *token, const atomic_bool *stopping, char **ret_path, struct err *err)
{
	struct http_reply reply = { 0 };
	int rc = instance_ask(endpoint, "GET", ROLE_PATH, token, stopping, &reply, err);
	if (rc == 0) {
		size_t len = reply.body.len ? strcspn(reply.body.data, "\r\n") : 0;
		if (len == 0 || len > 256 || memchr(reply.body.data, '/', len))
			rc = err_set(err, ERR_RETRY, 0, "no role");
		else
			*ret_path = mem_printf(ROLE_PATH "%.*s", (int)len, reply.body.data);
	} else if (reply.status == 404) {
		rc = err_set(err, ERR_RETRY, 0, "no role is attached to this instance");
	}
	aws_ask_done(&reply);
	return rc;
}

int aws_instance_get(const atomic_bool *stopping, struct aws_credentials *ret, struct err *err)
{
	const char *off = set_in_environment("AWS_EC2_METADATA_DISABLED");
	if (off && strcasecmp(off, "true") == 0)
		return 0;
	CLEANUP(freep) char *endpoint = instance_endpoint();
	CLEANUP(freep) char *path = NULL;
	struct buf token = { 0 };
	struct http_reply reply = { 0 };
	int rc = instance_token(endpoint, stopping, &token, err);
	if (rc == 0)
		rc = instance_role(endpoint, token.data, stopping, &path, err);
	if (rc == 0)
		rc = instance_ask(endpoint, "GET", path, token.data, stopping, &reply, err);
	if (rc == 0)
		rc = aws_answer_json(buf_slice(&reply.body), ret, err);
	aws_ask_done(&reply);
	buf_wipe(&token);
	if (rc < 0)
		return err_wrap(err, "instance metadata");
	(void)snprintf(ret->origin, sizeof(ret->origin), "role '%s' of this instance", path + strlen(ROLE_PATH));
	return 1;
}
