/* mark.c - the high-water mark's row in TABLE_META. */
#include "daemon/store/mark.h"

#include <endian.h>

#define MARK_KEY SLICE_LIT("store/mark")
#define INDEX_FORMAT 1

/* Little-endian, no padding. */
struct mark_row {
	uint32_t format;
	uint32_t segment;
	uint64_t offset;
	uint64_t revision;
	uint8_t digest[SHA256_BYTES];
	char uuid[STORE_UUID_BYTES - 1];
} __attribute__((packed));

int mark_get(struct kv_txn *txn, struct mark *ret, struct err *err)
{
	struct slice value;
	int found = kv_get(txn, TABLE_META, MARK_KEY, &value);
	if (found <= 0)
		return found < 0 ? kv_failed(txn, err) : 0;
	uint32_t format = 0;
	if (value.len >= sizeof(format))
		memcpy(&format, value.p, sizeof(format));
	format = le32toh(format);
	if (format > INDEX_FORMAT)
		return err_set(err, ERR_FATAL, 0,
			"the index has format %u, this inlet reads up to %d: install the newer inlet that wrote it", format,
			INDEX_FORMAT);
	struct mark_row row;
	if (value.len != sizeof(row))
		return err_set(err, ERR_FATAL, 0, "the index's high-water mark is damaged: run inlet rebuild-index");
	memcpy(&row, value.p, sizeof(row));
	*ret = (struct mark){
		.segment = le32toh(row.segment),
		.offset = le64toh(row.offset),
		.revision = le64toh(row.revision),
	};
	memcpy(ret->digest, row.digest, sizeof(row.digest));
	memcpy(ret->uuid, row.uuid, sizeof(row.uuid));
	return 1;
}

int mark_put(struct kv_txn *txn, const struct mark *m)
{
	struct mark_row row = {
		.format = htole32(INDEX_FORMAT),
		.segment = htole32(m->segment),
		.offset = htole64(m->offset),
		.revision = htole64(m->revision),
	};
	memcpy(row.digest, m->digest, sizeof(row.digest));
	memcpy(row.uuid, m->uuid, sizeof(row.uuid));
	return kv_put(txn, TABLE_META, MARK_KEY, (struct slice){ (const char *)&row, sizeof(row) });
}
