/* server.c - libmicrohttpd on the Unix socket: one thread a connection, who may speak, and the way from request to
 * reply. */
#include "daemon/api/server.h"

#include "daemon/api/peer.h"
#include "daemon/api/routes.h"
#include "daemon/base/clock.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SOCKET_NAME "inlet.sock"
#define SOCKET_MODE 0660
#define CONNECTIONS_MAX 128     /* each with a thread; what comes beyond them is closed unheard */
#define IDLE_S 30U              /* between requests, and for a request to come in whole */
#define UPLOAD_IDLE_S 300U      /* between pieces of an upload: the client reads files for it */
#define STOP_MS 3000
#define CONNECTION_BYTES ((size_t)128 << 10) /* of memory: half of it is what one read of an upload may bring */
#define SERVER_FLAGS (MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC)

struct server {
	struct pipeline *pipeline;
	int dir;                    /* dup of socket_dir */
	int listener;
	gid_t group;                /* of the socket: its members may speak */
	struct MHD_Daemon *mhd;
	struct gate gate;
};

/* What is gathered over the calls that libmicrohttpd makes for one request. */
struct incoming {
	struct buf body;
	size_t body_max;
	bool too_long;
	const struct upload_ops *upload; /* NULL: the body is gathered */
	void *uploading;
};

static int collect_query(void *arg, const char *name, const char *value)
{
	struct request *r = arg;
	if (r->query_count == REQUEST_QUERY_MAX)
		return -1;
	r->query[r->query_count++] = (struct query_param){ name, value };
	return 0;
}

static enum MHD_Result query_iterator(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	return collect_query(arg, name, value) == 0 ? MHD_YES : MHD_NO;
}

static bool is_json(const char *content_type)
{
	static const char json[] = TYPE_JSON;
	size_t n = sizeof(json) - 1;
	return content_type && strncasecmp(content_type, json, n) == 0 &&
		(content_type[n] == '\0' || content_type[n] == ';' || content_type[n] == ' ');
}

static struct reply read_body(struct MHD_Connection *c, const struct incoming *in, struct request *r)
{
	struct err err;
	if (in->too_long)
		return reply_problem(MHD_HTTP_CONTENT_TOO_LARGE, "the body is longer than %zu bytes", in->body_max);
	if (in->body.len && !is_json(MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type")))
		return reply_problem(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "send the body as " TYPE_JSON);
	if (body_parse(buf_slice(&in->body), &r->body, &err) < 0)
		return reply_err(&err, MHD_HTTP_BAD_REQUEST);
	return (struct reply){ 0 };
}

static struct reply answer(struct server *s, struct MHD_Connection *c, const char *path, const char *method,
	const struct incoming *in)
{
	struct peer peer;
	struct err err;
	struct request r = { .pipeline = s->pipeline, .gate = &s->gate };
	const char *allowed;
	int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	if (peer_check(fd, s->group, &peer, &err) < 0)
		return reply_err(&err, MHD_HTTP_FORBIDDEN);
	const struct route *route = route_find(method, path, &r.item, &allowed);
	if (!route && !allowed)
		return reply_problem(
			MHD_HTTP_NOT_FOUND, "there is nothing here; the API is under /api/v1, see `inlet help`");
	if (!route) {
		struct reply reply = reply_problem(MHD_HTTP_METHOD_NOT_ALLOWED, "use %s here", allowed);
		reply_header(&reply, "Allow", allowed);
		return reply;
	}
	r.user = peer.user;
	r.if_none_match = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");
	int params = MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, NULL, NULL);
	(void)MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, query_iterator, &r);
	if (params > REQUEST_QUERY_MAX)
		return reply_problem(MHD_HTTP_BAD_REQUEST, "more than %d query parameters", REQUEST_QUERY_MAX);
	bool post = strcmp(route->method, "POST") == 0;
	struct reply reply = post ? read_body(c, in, &r) : (struct reply){ 0 };
	if (!reply.response)
		reply = request_check(&r, route->names, &err) < 0 ? reply_err(&err, MHD_HTTP_BAD_REQUEST) :
			route->answer(&r);
	body_free(r.body);
	return reply;
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct reply reply)
{
	enum MHD_Result result = MHD_queue_response(c, reply.status, reply.response);
	MHD_destroy_response(reply.response);
	return result;
}

/* Bodies that are taken while they come: from peers who may speak, without parameters. answer() tells all others why not. */
static void upload_begin(struct server *s, struct MHD_Connection *c, const char *path, const char *method, struct incoming *in)
{
	struct peer peer;
	struct err err;
	struct request r = { .pipeline = s->pipeline, .gate = &s->gate };
	const struct upload_ops *upload = route_upload(method, path, &r.item);
	int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	if (!upload || MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0 ||
		peer_check(fd, s->group, &peer, &err) < 0)
		return;
	(void)MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, UPLOAD_IDLE_S);
	in->upload = upload;
	in->uploading = upload->open(&r);
}

/* Counts first and looks then, or server_stop() could miss what begins in between and wait for it without a limit. */
static bool enter(struct gate *g)
{
	g->running++;
	if (!g->stopping)
		return true;
	g->running--;
	return false;
}

static void take_piece(struct server *s, struct incoming *in, const char *data, size_t n)
{
	if (in->upload) {
		if (!enter(&s->gate))
			return; /* what is missing now is of a request that gets 503 */
		in->upload->take(in->uploading, (struct slice){ data, n });
		s->gate.running--;
		return;
	}
	in->too_long = in->too_long || in->body.len + n > in->body_max;
	if (!in->too_long)
		buf_add(&in->body, data, n);
}

/* Called with the headers, with each piece of the body, and once with none: then the request is whole. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
	const char *version, const char *data, size_t *size, void **state)
{
	(void)version;
	struct server *s = arg;
	struct incoming *in = *state;
	if (!in) {
		*state = in = mem_zero(1, sizeof(*in));
		in->body_max = route_body_max(method, path);
		if (!s->gate.stopping)
			upload_begin(s, c, path, method, in);
		return MHD_YES;
	}
	if (*size > 0) {
		take_piece(s, in, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (!enter(&s->gate))
		return send_reply(c, reply_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "inletd is stopping; try again in a moment"));
	/* The answer may take hours to make (sync, verify) or to be read (a pager): no time limit until it is sent. */
	(void)MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	struct reply reply = in->upload ? in->upload->finish(TAKE_PTR(in->uploading)) : answer(s, c, path, method, in);
	s->gate.running--;
	return send_reply(c, reply);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	(void)arg;
	struct incoming *in = *state;
	if (in && in->uploading)
		in->upload->drop(in->uploading);
	if (in)
		buf_done(&in->body);
	free(in);
	*state = NULL;
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		(void)MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, IDLE_S);
}

static void server_free(struct server *s)
{
	close_fdp(&s->listener);
	close_fdp(&s->dir);
	free(s);
}

static int start(struct server *s, int socket_dir, struct err *err)
{
	struct stat st;
	s->dir = fcntl(socket_dir, F_DUPFD_CLOEXEC, 0);
	if (s->dir < 0)
		return err_set(err, ERR_RETRY, errno, "API: state_dir");
	if (local_listen(s->dir, SOCKET_NAME, SOCKET_MODE, &s->listener, err) < 0)
		return err_wrap(err, "API");
	s->group = fstatat(s->dir, SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_gid : getegid();
	s->mhd = MHD_start_daemon(SERVER_FLAGS, 0, NULL, NULL, on_request, s,
		MHD_OPTION_LISTEN_SOCKET, s->listener,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)(1U << 20),
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
	if (!s->mhd) {
		/* Version 1.0 gives back what it has before it says so. What it was given is right: it is a thread that is lacking. */
		int sys = errno == EBADF ? EAGAIN : errno;
		(void)unlinkat(s->dir, SOCKET_NAME, 0);
		return err_set(err, ERR_RETRY, sys, "API: start libmicrohttpd");
	}
	return 0;
}

int server_start(struct pipeline *p, int socket_dir, struct server **ret, struct err *err)
{
	struct server *s = mem_zero(1, sizeof(*s));
	s->pipeline = p;
	s->dir = s->listener = -1;
	if (start(s, socket_dir, err) < 0) {
		server_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int server_stop(struct server *s)
{
	if (!s)
		return 0;
	s->gate.stopping = true;
	store_interrupt(pipeline_store(s->pipeline)); /* a running verify would take as long as the store is large */
	(void)unlinkat(s->dir, SOCKET_NAME, 0);
	(void)shutdown(s->listener, SHUT_RDWR); /* new connections are refused, as those of a socket left behind */
	for (int ms = 0; s->gate.running > 0; ms += 10) {
		if (ms >= STOP_MS)
			return -1;
		struct timespec pause = clock_spec(10 * NS_PER_MS);
		(void)nanosleep(&pause, NULL);
	}
	MHD_stop_daemon(s->mhd); /* closes the listener and joins every thread */
	s->listener = -1;
	server_free(s);
	return 0;
}
