/* crc.h - the three CRCs that object stores send beside the bytes: CRC-32 (zlib's), CRC-32C (Castagnoli) and CRC-64/NVME.
 *
 * A running value begins with 0, and crcX_add(crcX_add(0, a), b) is the CRC of ab. Several GB/s where the processor multiplies
 * without carries (x86-64) or has CRC instructions (arm64), found out at run time; table driven elsewhere. Pure, any thread. */
#ifndef INLET_BASE_CRC_H
#define INLET_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_add(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_add(uint32_t crc, const void *p, size_t n);
uint64_t crc64nvme_add(uint64_t crc, const void *p, size_t n);

/* The same by tables only: what the fast ways are tested against. */
uint32_t crc32_add_portable(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_add_portable(uint32_t crc, const void *p, size_t n);
uint64_t crc64nvme_add_portable(uint64_t crc, const void *p, size_t n);

#endif
