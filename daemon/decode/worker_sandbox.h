/* worker_sandbox.h - what a worker gives up before it reads the first byte of media. There is no way back.
 *
 * After it the process has no file system (Landlock with no rule, and open() refused), no network, no new process or
 * program, no way to look at another process, no executable memory that it wrote itself, no dump of its memory, and
 * limits on memory, descriptors and file size; it dies with the daemon's thread that started it. What stays: memory,
 * threads, clocks, reading and writing descriptors that it holds.
 *
 * A system call outside the allow-list fails with EPERM; those that only an exploit would make end the process
 * (SIGSYS). */
#ifndef INLET_DECODE_WORKER_SANDBOX_H
#define INLET_DECODE_WORKER_SANDBOX_H

#include "daemon/base/err.h"

#include <stdint.h>

/* Call with one thread only, all libraries initialised. memory_bytes is allowed on top of what is mapped now. Returns
 * the SANDBOX_ bits (protocol.h) that are on, after it has tried that they hold; -1, ERR_FATAL: what is missing and how
 * to allow it, and the process must end. */
int sandbox_put_on(uint64_t memory_bytes, struct err *err);

/* Tries, each in a process of its own inside the sandbox, what must be refused, and prints a line for each.
 * Returns 0 when all of it was refused, 1 when not. */
int sandbox_self_test(void);

#endif
