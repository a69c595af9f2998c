/* clock.c - reads the clocks and spreads retries. */
#include "daemon/base/clock.h"

#include "daemon/base/hash.h"

static uint64_t read_ns(clockid_t which)
{
	struct timespec now;
	(void)clock_gettime(which, &now); /* these clocks always exist */
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
	return (int64_t)(clock_wall_ns() / NS_PER_MS);
}

struct timespec clock_spec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC) };
}

uint64_t backoff_ms(uint32_t attempts, uint64_t base_ms, uint64_t cap_ms)
{
	uint64_t most = base_ms;
	for (uint32_t i = 0; i < attempts && i < 64 && most < cap_ms; i++)
		most = most > cap_ms / 2 ? cap_ms : most * 2;
	if (most > cap_ms)
		most = cap_ms;
	uint64_t least = most / 4;
	uint64_t random;
	hash_random(&random, sizeof(random));
	return least + (uint64_t)(((unsigned __int128)random * (most - least + 1)) >> 64);
}
