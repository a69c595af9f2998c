/* clock.h - time: monotonic for waiting, wall for records and display; and the backoff that retries use. */
#ifndef INLET_BASE_CLOCK_H
#define INLET_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS 1000000ULL

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME since the epoch */
int64_t clock_wall_ms(void);
struct timespec clock_spec(uint64_t ns);
/* Full-jitter exponential backoff: uniform in [1/4, 1] of min(cap, base * 2^attempts). attempts counts from 0. */
uint64_t backoff_ms(uint32_t attempts, uint64_t base_ms, uint64_t cap_ms);

#endif
