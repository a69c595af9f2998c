/* worker.c - the loop of inlet-decode: libraries first, then the sandbox, then media. */
#include "daemon/decode/worker.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/hash.h"
#include "daemon/decode/worker_identify.h"
#include "daemon/decode/worker_image.h"
#include "daemon/decode/worker_sandbox.h"
#include "daemon/decode/worker_text.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define IDLE_MS 1000 /* without a job for so long, freed memory goes back to the system */

static int load_libraries(struct err *err)
{
	sha256_free(sha256_new()); /* OpenSSL reads its configuration at its first use */
	if (identify_init(err) < 0 || text_init(err) < 0 || image_init(err) < 0)
		return -1;
	return 0;
}

/* Says READY. 0: with the sandbox on. */
static int greet(int sock, const struct wire_hello *hello)
{
	struct wire_ready ready = { .head = { .magic = WIRE_MAGIC, .kind = WIRE_READY } };
	struct err err;
	int on = load_libraries(&err) < 0 ? -1 : sandbox_put_on(hello->memory_bytes, &err);
	if (on < 0)
		(void)snprintf(ready.failure, sizeof(ready.failure), "%.*s", WIRE_REASON_MAX - 1, err.text);
	else
		ready.sandbox = (uint32_t)on;
	return wire_send(sock, &ready, sizeof(ready), NULL, 0) < 0 || on < 0 ? -1 : 0;
}

/* Too large to be decoded: only its head was given, enough to tell what it is. */
static int decode_head(struct task *t, enum media media, struct err *err)
{
	if (media != MEDIA_IMAGE && media != MEDIA_TEXT)
		return 0;
	return err_set(err, ERR_REJECT, 0,
		       "%s of %llu bytes is larger than limits.decode (%llu); make it smaller or raise the limit",
		       t->done->media_type, (unsigned long long)t->job->object_bytes,
		       (unsigned long long)t->limits->max_bytes);
}

/* Returns the verdict's class of success: 1 decoded, 0 parked. */
static int decode(struct task *t, struct err *err)
{
	struct identity id;
	int taken = identify(t->bytes, t->size, &id, err);
	t->done->media = id.media;
	(void)snprintf(t->done->media_type, sizeof(t->done->media_type), "%s", id.type);
	if (taken < 0)
		return -1;
	if (t->job->object_bytes > t->limits->max_bytes)
		return decode_head(t, id.media, err);
	if (id.media == MEDIA_IMAGE && image_decodes(id.type))
		return image_decode(t, id.type, err) < 0 ? -1 : 1;
	if (id.media == MEDIA_TEXT)
		return text_decode(t, err) < 0 ? -1 : 1;
	return 0;
}

/* What it is stays told; all else that was found goes. */
static void reject(struct wire_done *done, const struct err *err)
{
	struct wire_done refusal = {
		.head = done->head,
		.verdict = err->class == ERR_REJECT ? WIRE_REJECTED : WIRE_FAILED,
		.media = done->media,
	};
	memcpy(refusal.media_type, done->media_type, sizeof(refusal.media_type));
	(void)snprintf(refusal.reason, sizeof(refusal.reason), "%.*s", WIRE_REASON_MAX - 1, err->text);
	*done = refusal;
}

static void answer(const struct wire_hello *hello, const struct wire_job *job, const uint8_t *bytes, int result,
		   struct wire_done *done)
{
	struct err err = { 0 };
	struct output out = { .fd = result, .lengths = done->section, .limits = hello, .job = job };
	struct task t = {
		.bytes = bytes, .size = job->given_bytes, .job = job, .limits = hello, .out = &out, .done = done
	};
	done->head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_DONE, .job = job->head.job };
	int decoded = decode(&t, &err);
	if (decoded < 0)
		reject(done, &err);
	else
		done->verdict = decoded ? WIRE_DECODED : WIRE_PARKED;
}

static int serve_one(int sock, const struct wire_hello *hello, const struct wire_job *job, int object, int result)
{
	struct wire_done done = { 0 };
	void *bytes = NULL;
	if (job->given_bytes) {
		bytes = mmap(NULL, job->given_bytes, PROT_READ, MAP_PRIVATE, object, 0);
		if (bytes == MAP_FAILED)
			return -1;
	}
	answer(hello, job, bytes, result, &done);
	if (bytes)
		(void)munmap(bytes, job->given_bytes);
	return wire_send(sock, &done, sizeof(done), NULL, 0);
}

static void wait_for_job(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	if (poll(&p, 1, IDLE_MS) == 0)
		(void)malloc_trim(0);
}

int worker_serve(int sock)
{
	struct wire_hello hello;
	(void)signal(SIGINT,
		     SIG_IGN); /* a service manager signals the whole group; the daemon ends us by closing the socket */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (wire_receive(sock, &hello, sizeof(hello), NULL, 0) != sizeof(hello) || hello.head.magic != WIRE_MAGIC ||
	    hello.head.kind != WIRE_HELLO || greet(sock, &hello) < 0)
		return 1;
	for (;;) {
		struct wire_job job;
		int fds[2];
		wait_for_job(sock);
		ssize_t n = wire_receive(sock, &job, sizeof(job), fds, 2);
		if (n == 0)
			return 0;
		if (n < 0)
			return 1;
		int failed = n != sizeof(job) || job.head.kind != WIRE_JOB
				     ? -1
				     : serve_one(sock, &hello, &job, fds[0], fds[1]);
		(void)close(fds[0]);
		(void)close(fds[1]);
		if (failed < 0)
			return 1;
	}
}
