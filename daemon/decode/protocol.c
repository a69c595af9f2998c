/* protocol.c - packets between daemon and decode workers, and the checks that make a worker's claims harmless. */
#include "daemon/decode/protocol.h"

#include "daemon/base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 2
#define FORM_SLACK (1U << 20) /* a canonical form may be a little larger than the largest original */

/* Packets are compared with and copied into these as they are: no hole may carry a stack's bytes over. */
_Static_assert(sizeof(struct wire_head) == 16, "layout");
_Static_assert(sizeof(struct wire_hello) == 16 + 3 * 8 + 8, "layout");
_Static_assert(sizeof(struct wire_ready) == 16 + 8 + WIRE_REASON_MAX, "layout");
_Static_assert(sizeof(struct wire_done) == 16 + 16 + 32 + WIRE_TYPE_MAX + WIRE_REASON_MAX + WIRE_SECTIONS * 8,
	       "layout");

uint64_t wire_section_max(enum wire_section s, const struct wire_hello *limits, const struct wire_job *job)
{
	uint64_t inputs = 0;
	switch (s) {
	case WIRE_FACTS:
		return WIRE_FACTS_MAX;
	case WIRE_THUMBNAIL: /* the worst PNG: raw RGBA, a filter byte a row, deflate's and the container's overhead */
		return limits->thumbnail ? (uint64_t)limits->thumbnail * limits->thumbnail * 5 + 4096 : 0;
	case WIRE_TEXT:
		return TEXT_INPUT_MAX;
	case WIRE_INPUTS:
		for (uint32_t i = 0; i < job->want_count; i++)
			inputs += pixel_spec_bytes(&job->wants[i]);
		return inputs;
	case WIRE_FORM:
		return limits->max_bytes + FORM_SLACK;
	case WIRE_SECTIONS:
		break;
	}
	return 0;
}

uint64_t wire_capacity(const struct wire_hello *limits, const struct wire_job *job)
{
	uint64_t sum = 0;
	for (enum wire_section s = 0; s < WIRE_SECTIONS; s++)
		sum += wire_section_max(s, limits, job);
	return sum;
}

union fd_space {
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int wire_send(int sock, const void *message, size_t size, const int *fds, size_t fd_count)
{
	union fd_space space = { 0 };
	struct iovec part = { .iov_base = (void *)message, .iov_len = size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd_count) {
		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
				       .cmsg_type = SCM_RIGHTS,
				       .cmsg_len = CMSG_LEN(fd_count * sizeof(int)) };
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* Descriptors that came with m, moved to ret_fds when they are exactly fd_count; any others are closed. */
static bool take_fds(struct msghdr *m, int *ret_fds, size_t fd_count)
{
	int came[FDS_MAX];
	size_t n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(came, CMSG_DATA(c), n * sizeof(int));
	}
	if (n == fd_count && !(m->msg_flags & MSG_CTRUNC)) {
		memcpy(ret_fds, came, n * sizeof(int));
		return true;
	}
	for (size_t i = 0; i < n; i++)
		(void)close(came[i]);
	return false;
}

ssize_t wire_receive(int sock, void *message, size_t max, int *ret_fds, size_t fd_count)
{
	union fd_space space = { 0 };
	struct iovec part = { .iov_base = message, .iov_len = max };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (fd_count) {
		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
	}
	ssize_t n;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_TRUNC); /* MSG_TRUNC: the packet's true length */
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n;
	bool fds_right = fd_count == 0 || take_fds(&m, ret_fds, fd_count);
	if (fds_right && (size_t)n <= max)
		return n;
	for (size_t i = 0; fds_right && i < fd_count; i++)
		(void)close(ret_fds[i]);
	errno = EPROTO;
	return -1;
}

/* Makes a worker's string one that can be shown: terminated, UTF-8, one line. */
static void clean_text(char *s, size_t size)
{
	s[size - 1] = '\0';
	if (!text_is_utf8(slice_of(s))) {
		for (char *c = s; *c; c++) {
			if (*c & 0x80)
				*c = '?';
		}
	}
	for (char *c = s; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
}

static bool head_right(const struct wire_head *h, enum wire_kind kind, uint64_t job)
{
	return h->magic == WIRE_MAGIC && h->kind == (uint32_t)kind && h->job == job;
}

int wire_ready_check(const void *packet, size_t size, struct wire_ready *ret, struct err *err)
{
	struct wire_ready r;
	if (size != sizeof(r))
		return err_set(err, ERR_FATAL, 0,
			       "inlet-decode greets with %zu bytes instead of %zu: it is of another release", size,
			       sizeof(r));
	memcpy(&r, packet, sizeof(r));
	if (!head_right(&r.head, WIRE_READY, 0))
		return err_set(err, ERR_FATAL, 0, "inlet-decode does not greet as this release does");
	clean_text(r.failure, sizeof(r.failure));
	if (r.failure[0])
		return err_set(err, ERR_FATAL, 0, "%s", r.failure);
	if (!(r.sandbox & SANDBOX_SECCOMP) || r.sandbox & ~(uint32_t)(SANDBOX_SECCOMP | SANDBOX_LANDLOCK))
		return err_set(err, ERR_FATAL, 0, "inlet-decode reports an impossible sandbox (0x%x)", r.sandbox);
	*ret = r;
	return 0;
}

/* "type/subtype" of RFC 6838 characters: it goes into HTTP headers. */
static bool is_media_type(const char s[WIRE_TYPE_MAX])
{
	if (!memchr(s, '\0', WIRE_TYPE_MAX))
		return false;
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t type = strspn(s, allowed);
	size_t subtype = s[type] == '/' ? strspn(s + type + 1, allowed) : 0;
	return type > 0 && subtype > 0 && s[type + 1 + subtype] == '\0';
}

static const char *decoded_lie(const struct wire_done *d, const struct wire_hello *limits, const struct wire_job *job)
{
	bool image = d->media == MEDIA_IMAGE;
	if (!image && d->media != MEDIA_TEXT)
		return "media that it cannot decode";
	if (image ? d->width == 0 || d->height == 0 : d->width || d->height)
		return "dimensions";
	if (image && (uint64_t)d->width * d->height > limits->max_pixels)
		return "pixels over the limit";
	if (d->section[WIRE_INPUTS] != (image ? wire_section_max(WIRE_INPUTS, limits, job) : 0))
		return "model inputs";
	if (image ? d->section[WIRE_TEXT] : d->section[WIRE_THUMBNAIL])
		return "sections of another media";
	if (job->inputs_only && (d->section[WIRE_THUMBNAIL] || d->section[WIRE_FORM]))
		return "sections that were not asked for";
	return NULL;
}

static const char *done_lie(const struct wire_done *d, const struct wire_hello *limits, const struct wire_job *job)
{
	if (d->verdict < WIRE_DECODED || d->verdict > WIRE_FAILED)
		return "verdict";
	if (d->media >= MEDIAS)
		return "media";
	if (!is_media_type(d->media_type) && !(d->verdict >= WIRE_REJECTED && d->media_type[0] == '\0'))
		return "media type";
	uint64_t sum = 0;
	for (enum wire_section s = 0; s < WIRE_SECTIONS; s++) {
		if (d->section[s] > wire_section_max(s, limits, job))
			return "section length";
		sum += d->section[s];
	}
	if (d->verdict == WIRE_DECODED)
		return decoded_lie(d, limits, job);
	if (sum != 0 || d->width || d->height || !content_id_none(&d->canonical))
		return "results of what was not decoded";
	if (d->verdict != WIRE_PARKED && !d->reason[0])
		return "missing reason";
	return NULL;
}

int wire_done_check(const void *packet, size_t size, const struct wire_hello *limits, const struct wire_job *job,
		    struct wire_done *ret, struct err *err)
{
	struct wire_done d;
	if (size != sizeof(d))
		return err_set(err, ERR_RETRY, 0, "the decoder answered with %zu bytes instead of %zu", size,
			       sizeof(d));
	memcpy(&d, packet, sizeof(d));
	if (!head_right(&d.head, WIRE_DONE, job->head.job))
		return err_set(err, ERR_RETRY, 0, "the decoder's packet is not the answer to this job");
	const char *lie = done_lie(&d, limits, job);
	if (lie)
		return err_set(err, ERR_RETRY, 0, "the decoder's answer is impossible: %s", lie);
	clean_text(d.reason, sizeof(d.reason));
	*ret = d;
	return 0;
}
