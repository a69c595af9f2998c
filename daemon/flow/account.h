/* account.h - what is in hand, that it goes on, and what ends it: one account for all that the daemon does with files.
 *
 * A piece of work is in hand from being taken until it is durable or handed back to the durable queue; so is a pass that runs. While
 * nothing is in hand and nothing is due, the daemon is idle. The lock is taken last, and never held while calling out. Any thread. */
#ifndef INLET_FLOW_ACCOUNT_H
#define INLET_FLOW_ACCOUNT_H

#include "daemon/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct account;
int account_open(struct account **ret, struct err *err);
void account_close(struct account *a); /* NULL allowed; nobody is inside */

void account_take(struct account *a, uint64_t n);
void account_give(struct account *a, uint64_t n); /* durable, or handed back to the durable queue */
bool account_holds(struct account *a);            /* something is in hand */
void account_await_none(struct account *a);       /* until nothing is */
/* Sleeps until something happened after the look that counted `seen` wakes. -1: the deadline passed (UINT64_MAX: none). */
uint64_t account_wakes(struct account *a);
int account_await(struct account *a, uint64_t seen, uint64_t deadline_ns);

void account_step(struct account *a);             /* progress was made: any sign of life of a long piece of work */
void account_wake(struct account *a);             /* somebody who waits should look again */
uint64_t account_progress(const struct account *a); /* grows with each step */
void account_wake_loop(struct account *a);        /* the main loop should look... */
int account_loop_fd(const struct account *a);     /* ...which it does when this eventfd is readable... */
void account_loop_woken(struct account *a);       /* ...and says that it has */

void account_fail(struct account *a, const struct err *err); /* fatal: the first one is kept; wakes the main program */
int account_failed(struct account *a, struct err *err);      /* -1: that one */
void account_stop(struct account *a);             /* all that runs ends as soon as it can */
bool account_stopping(const struct account *a);

#endif
