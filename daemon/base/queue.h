/* queue.h - a bounded queue of pointers between threads: full blocks the producer (backpressure), empty the consumer. Whoever found
 * it full goes on once it is half empty: a producer that is always ahead is woken once for many items, not for each. */
#ifndef INLET_BASE_QUEUE_H
#define INLET_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t capacity, void (*free_item)(void *item)); /* free_item: for what is left at queue_free */
void queue_free(struct queue *q);                /* NULL allowed; no thread may still use it */
int queue_push(struct queue *q, void *item);     /* blocks when full; 0: queue owns item; -1: closed, caller keeps it */
/* As queue_push(), but never blocks: goes beyond the capacity. For callers whose number of items is bounded otherwise. */
int queue_push_over(struct queue *q, void *item);
void *queue_pop(struct queue *q);                /* blocks while empty; the caller owns the item; NULL: closed and drained */
/* As queue_pop(), but waits until deadline_ns (clock_mono_ns) at most. NULL: nothing came, or closed and drained. */
void *queue_pop_until(struct queue *q, uint64_t deadline_ns);
void queue_close(struct queue *q);               /* wakes every waiter; items already inside can still be popped */

#endif
