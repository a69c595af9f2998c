/* attend.h - who owns the store: the running daemon, or else a stand-in that we start and let go (`inletd --attend`).
 *
 * The stand-in listens on state_dir/attend.sock. A client connects, reads 'R' when the stand-in is ready (or 'E' and
 * why not, until the end), works through the API on inlet.sock, shuts its side down and waits for the end: the last
 * client gets it when the lock is free again. A stand-in that is ending closes without a byte: then we begin again. A
 * real daemon has only inlet.sock, and the lock file begins with "daemon". */
#ifndef INLET_CLI_ATTEND_H
#define INLET_CLI_ATTEND_H

#include "config/config.h"

struct attend {
	int dir;       /* state_dir; the caller reaches inlet.sock through it */
	int fd;        /* connection to the stand-in; -1: a daemon runs */
	int log;       /* what the stand-in that we started wrote to its stderr; -1: not ours */
	long pid;      /* that stand-in; 0: not ours, or it has ended */
	int status;    /* its exit status once it has ended, -1: none; 0 before */
	int losses;    /* so often in a row one of ours found the lock held by `rival`, who cannot be seen from here */
	long rival;
};

/* Blocks until somebody owns the store and listens. Who holds the lock is waited for without limit, with two exceptions: a
 * daemon that goes on not listening, and an owner that cannot be seen from here. ERR_RETRY, ERR_REJECT: why nobody listens,
 * where it is so in the words of the inletd that did not start. Fills *ret; attend_leave() in any case. */
int attend_join(const struct config *c, struct attend *ret, struct err *err);
/* Says that we are done and, where we were the last one, waits until the lock is free. */
void attend_leave(struct attend *a);
/* The last line that our stand-in wrote, to explain a broken connection; "" when there is none. */
void attend_last_words(const struct attend *a, char *ret, size_t size);

#endif
