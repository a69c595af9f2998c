/* rows_import.c - values of TABLE_IMPORT and TABLE_IMPORT_ROW (rows.h). */
#include "daemon/store/packed.h"
#include "daemon/store/rows.h"

#include <endian.h>

/* import: format, attributes and header follow; in FORMAT, the first, format and header. */
struct PACKED import_disk {
	uint8_t format, complete;
	uint8_t zero[2];
	uint32_t source;
	uint64_t rows, failed, vanished, time_ms;
	uint32_t format_len;
};
struct PACKED import_disk_2 {
	struct import_disk first; /* FORMAT_2 */
	uint32_t attributes_len;
};
/* import_row: its origin and its body follow. */
struct PACKED import_row_disk {
	uint8_t format;
	uint8_t zero[3];
	uint32_t origin_len;
	uint64_t import, line;
};

int rows_read_import(struct kv_txn *txn, struct slice key, struct slice value, struct import_value *ret)
{
	struct import_disk_2 both = { 0 };
	struct slice tail, format, attributes;
	if (key.len != sizeof(uint64_t) || (!packed_take_format(value, FORMAT_2, &both, sizeof(both), &tail) &&
		!packed_take(value, &both.first, sizeof(both.first), &tail)) || !packed_cut(&tail, both.first.format_len, &format) ||
		!packed_cut(&tail, both.attributes_len, &attributes))
		return rows_corrupt(txn, TABLE_IMPORT, key);
	struct import_disk d = both.first;
	*ret = (struct import_value){ .source = le32toh(d.source),
		.complete = d.complete != 0,
		.rows = le64toh(d.rows),
		.failed = le64toh(d.failed),
		.vanished = le64toh(d.vanished),
		.time_ms = (int64_t)le64toh(d.time_ms),
		.format = format,
		.attributes = attributes,
		.header = tail };
	return 0;
}

int rows_put_import(struct kv_txn *txn, uint64_t import, const struct import_value *row)
{
	struct import_disk_2 d = { .first = { .format = FORMAT_2,
		.complete = row->complete,
		.source = htole32(row->source),
		.rows = htole64(row->rows),
		.failed = htole64(row->failed),
		.vanished = htole64(row->vanished),
		.time_ms = htole64((uint64_t)row->time_ms),
		.format_len = htole32((uint32_t)row->format.len) },
		.attributes_len = htole32((uint32_t)row->attributes.len) };
	struct slice tails[] = { row->format, row->attributes, row->header };
	struct key k;
	return packed_put(txn, TABLE_IMPORT, key_item(&k, import), HEAD(d), tails, 3);
}

int rows_read_import_row(struct kv_txn *txn, struct slice key, struct slice value, struct import_row_value *ret)
{
	struct import_row_disk d;
	struct slice body, origin;
	if (key.len != 2 * sizeof(uint64_t) || !packed_take(value, &d, sizeof(d), &body) ||
		!packed_cut(&body, d.origin_len, &origin))
		return rows_corrupt(txn, TABLE_IMPORT_ROW, key);
	*ret = (struct import_row_value){ .import = le64toh(d.import), .line = le64toh(d.line), .body = body,
		.origin = origin };
	return 0;
}

int rows_put_import_row(struct kv_txn *txn, uint64_t object, uint64_t row, const struct import_row_value *value)
{
	struct import_row_disk d = { .format = FORMAT, .origin_len = htole32((uint32_t)value->origin.len),
		.import = htole64(value->import), .line = htole64(value->line) };
	struct slice tails[] = { value->origin, value->body };
	struct key k;
	return packed_put(txn, TABLE_IMPORT_ROW, key_ref(&k, object, row), HEAD(d), tails, 2);
}
