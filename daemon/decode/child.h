/* child.h - one inlet-decode process as the pool holds it: started, greeted, asked one job at a time, ended. */
#ifndef INLET_DECODE_CHILD_H
#define INLET_DECODE_CHILD_H

#include "daemon/base/err.h"
#include "daemon/decode/protocol.h"

#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int sock;
	uint64_t jobs; /* asked so far; also the last job's number */
	uint32_t sandbox;
};

/* Starts the program with fixed arguments, a cleared environment and no descriptor but its socket. It dies with the
 * calling *thread* (PDEATHSIG): call from one that lives as long as the pool. ERR_RETRY: no process or descriptor to be
 * had; ERR_FATAL: the program is not there or may not be executed. */
int child_spawn(const char *program, struct child *ret, struct err *err);
/* Sends the limits and waits until the sandbox is on. ERR_FATAL: it cannot be put on (the text says why). */
int child_greet(struct child *c, const struct wire_hello *limits, struct err *err);
bool child_alive(const struct child *c); /* false: it died while it was idle, or speaks unasked */

enum child_result { CHILD_ANSWERED, CHILD_DIED, CHILD_LATE, CHILD_LIED, CHILD_REFUSED };
/* Sends the job with its two descriptors and waits for the answer. job->head is filled here. CHILD_REFUSED: the job
 * could not be sent (err ERR_RETRY), the child never saw a byte of it. After anything but CHILD_ANSWERED the child must
 * be killed and ended. CHILD_LIED fills err. */
enum child_result child_ask(struct child *c, const struct wire_hello *limits, struct wire_job *job, int object,
			    int result, uint32_t time_limit_ms, struct wire_done *ret, struct err *err);
void child_kill(const struct child *c);
int child_end(struct child *c); /* reaps it (kill it first) and closes the socket; returns the wait status */

#endif
