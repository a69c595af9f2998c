/* crc.c - one reflected CRC of up to 64 bits, by tables or by folding; the three polynomials are parameters.
 *
 * A reflected register holds x^0 in its highest bit. In a 64-bit register a 32-bit CRC stands in the low half while bytes are
 * added (tables) and in the high half where it is a factor (folding).
 *
 * Folding (Gopal et al., "Fast CRC Computation Using PCLMULQDQ", Intel 2009): 128 bits of message that stand d bits before the end
 * are replaced by 128 bits at the end that leave the same remainder: low half times x^(d+64), high half times x^d. The product of
 * two reflected factors comes out one place low, so the constants are x^(d+63) and x^(d-1), modulo the polynomial. The last 16
 * bytes go through the tables. */
#include "daemon/base/crc.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

struct crc {
	uint64_t polynomial;     /* reflected */
	unsigned int bits;
	uint64_t table[8][256];  /* [k][b]: byte b with k zero bytes behind it */
	uint64_t fold_near[2];   /* over 128 bits: for the low and the high half */
	uint64_t fold_far[2];    /* over 512 bits */
};
static struct crc ieee = { .polynomial = 0xEDB88320U, .bits = 32 };
static struct crc castagnoli = { .polynomial = 0x82F63B78U, .bits = 32 };
static struct crc nvme = { .polynomial = 0x9A6C9329AC4BC9B5U, .bits = 64 };
static bool fast;

static uint64_t times_x(const struct crc *c, uint64_t r)
{
	return r >> 1 ^ (r & 1 ? c->polynomial : 0);
}

/* x^n as a factor of folding. */
static uint64_t power(const struct crc *c, unsigned int n)
{
	uint64_t r = 1ULL << (c->bits - 1);
	while (n-- > 0)
		r = times_x(c, r);
	return r << (64 - c->bits);
}

static void prepare(struct crc *c)
{
	for (unsigned int b = 0; b < 256; b++) {
		uint64_t r = b;
		for (int i = 0; i < 8; i++)
			r = times_x(c, r);
		c->table[0][b] = r;
	}
	for (unsigned int k = 1; k < 8; k++) {
		for (unsigned int b = 0; b < 256; b++)
			c->table[k][b] = c->table[k - 1][b] >> 8 ^ c->table[0][c->table[k - 1][b] & 255];
	}
	c->fold_near[0] = power(c, 128 + 63);
	c->fold_near[1] = power(c, 128 - 1);
	c->fold_far[0] = power(c, 512 + 63);
	c->fold_far[1] = power(c, 512 - 1);
}

static void prepare_all(void)
{
	prepare(&ieee);
	prepare(&castagnoli);
	prepare(&nvme);
#if defined(__x86_64__)
	fast = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#elif defined(__aarch64__)
	fast = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#endif
}

static void prepare_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, prepare_all);
}

/* r is the register itself: neither inverted before nor after. */
static uint64_t by_tables(const struct crc *c, uint64_t r, const uint8_t *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = r;
		for (unsigned int i = 0; i < 8; i++)
			v ^= (uint64_t)p[i] << (8 * i);
		r = 0;
		for (unsigned int i = 0; i < 8; i++)
			r ^= c->table[7 - i][v >> (8 * i) & 255];
	}
	for (; n > 0; p++, n--)
		r = r >> 8 ^ c->table[0][(r ^ *p) & 255];
	return r;
}

#if defined(__x86_64__)

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i x, __m128i by, __m128i next)
{
	return _mm_xor_si128(next, _mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)));
}

__attribute__((target("pclmul,sse4.1"))) static uint64_t by_folding(const struct crc *c, uint64_t r, const uint8_t *p, size_t n)
{
	__m128i near = _mm_loadu_si128((const __m128i *)(const void *)c->fold_near);
	__m128i far = _mm_loadu_si128((const __m128i *)(const void *)c->fold_far);
	const __m128i *at = (const __m128i *)(const void *)p;
	__m128i lane[4];
	uint8_t rest[16];
	for (int i = 0; i < 4; i++)
		lane[i] = _mm_loadu_si128(at++);
	lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi64_si128((long long)r));
	for (n -= 64; n >= 64; n -= 64) {
		for (int i = 0; i < 4; i++)
			lane[i] = fold(lane[i], far, _mm_loadu_si128(at++));
	}
	for (int i = 1; i < 4; i++)
		lane[0] = fold(lane[0], near, lane[i]);
	for (; n >= 16; n -= 16)
		lane[0] = fold(lane[0], near, _mm_loadu_si128(at++));
	_mm_storeu_si128((__m128i *)(void *)rest, lane[0]);
	r = by_tables(c, 0, rest, sizeof(rest));
	return by_tables(c, r, (const uint8_t *)at, n);
}

#define FAST_FROM 64 /* bytes */

#elif defined(__aarch64__)

__attribute__((target("+crc"))) static uint64_t by_folding(const struct crc *c, uint64_t r, const uint8_t *p, size_t n)
{
	uint32_t r32 = (uint32_t)r;
	if (c->bits != 32)
		return by_tables(c, r, p, n);
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v;
		memcpy(&v, p, sizeof(v));
		r32 = c == &castagnoli ? __crc32cd(r32, v) : __crc32d(r32, v);
	}
	return by_tables(c, r32, p, n);
}

#define FAST_FROM 8

#else

static uint64_t by_folding(const struct crc *c, uint64_t r, const uint8_t *p, size_t n)
{
	return by_tables(c, r, p, n);
}

#define FAST_FROM SIZE_MAX

#endif

static uint64_t add(const struct crc *c, uint64_t crc, const void *p, size_t n, bool portable)
{
	uint64_t ones = UINT64_MAX >> (64 - c->bits);
	prepare_once();
	crc ^= ones;
	crc = fast && !portable && n >= FAST_FROM ? by_folding(c, crc, p, n) : by_tables(c, crc, p, n);
	return crc ^ ones;
}

uint32_t crc32_add(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)add(&ieee, crc, p, n, false);
}

uint32_t crc32c_add(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)add(&castagnoli, crc, p, n, false);
}

uint64_t crc64nvme_add(uint64_t crc, const void *p, size_t n)
{
	return add(&nvme, crc, p, n, false);
}

uint32_t crc32_add_portable(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)add(&ieee, crc, p, n, true);
}

uint32_t crc32c_add_portable(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)add(&castagnoli, crc, p, n, true);
}

uint64_t crc64nvme_add_portable(uint64_t crc, const void *p, size_t n)
{
	return add(&nvme, crc, p, n, true);
}
