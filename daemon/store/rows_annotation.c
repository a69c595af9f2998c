/* rows_annotation.c - values of TABLE_ANNOTATION (rows.h). */
#include "daemon/base/json.h"
#include "daemon/store/packed.h"
#include "daemon/store/rows.h"

#include <endian.h>
#include <math.h>

/* Its geometry and its attributes follow. */
struct PACKED annotation_disk {
	uint8_t format, status, maker, reason; /* FORMAT_2 */
	uint32_t concept, worker, model, version, geometry_len;
	uint64_t confidence, object, time_ms, since, until;
};
/* As it was first: without attributes, and its confidence a float. Its geometry follows. */
struct PACKED annotation_disk_1 {
	uint8_t format, status, maker, reason; /* FORMAT */
	uint32_t confidence, concept, worker, model, version;
	uint64_t object, time_ms, since, until;
};

static double confidence_of(uint64_t le_bits)
{
	uint64_t bits = le64toh(le_bits);
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t confidence_bits(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return htole64(bits);
}

/* What was first written, in the form of today. */
static bool read_first_form(struct slice value, struct annotation_disk *ret, struct slice *ret_geometry)
{
	struct annotation_disk_1 d;
	float confidence;
	if (!packed_take_format(value, FORMAT, &d, sizeof(d), ret_geometry))
		return false;
	uint32_t bits = le32toh(d.confidence);
	memcpy(&confidence, &bits, sizeof(confidence));
	if (!isfinite(confidence))
		return false;
	*ret = (struct annotation_disk){ .status = d.status, .maker = d.maker, .reason = d.reason, .concept = d.concept,
		.worker = d.worker, .model = d.model, .version = d.version, .object = d.object, .time_ms = d.time_ms,
		.since = d.since, .until = d.until, .confidence = confidence_bits(json_float_value(confidence)) };
	return true;
}

static bool read_form(struct slice value, struct annotation_disk *ret, struct slice *ret_geometry, struct slice *ret_attributes)
{
	return packed_take_format(value, FORMAT_2, ret, sizeof(*ret), ret_attributes) &&
		packed_cut(ret_attributes, ret->geometry_len, ret_geometry) && isfinite(confidence_of(ret->confidence));
}

int rows_read_annotation(struct kv_txn *txn, struct slice key, struct slice value, struct annotation_row *ret)
{
	struct annotation_disk d;
	struct slice geometry, attributes = { 0 };
	if ((!read_form(value, &d, &geometry, &attributes) && !read_first_form(value, &d, &geometry)) || d.status >= STATUSES ||
		d.maker >= ANNOTATION_MAKERS || d.reason >= ANNOTATION_REASONS)
		return rows_corrupt(txn, TABLE_ANNOTATION, key);
	*ret = (struct annotation_row){ .status = d.status,
		.maker = d.maker,
		.reason = d.reason,
		.confidence = confidence_of(d.confidence),
		.concept = le32toh(d.concept),
		.worker = le32toh(d.worker),
		.model = le32toh(d.model),
		.version = le32toh(d.version),
		.object = le64toh(d.object),
		.time_ms = (int64_t)le64toh(d.time_ms),
		.since = le64toh(d.since),
		.until = le64toh(d.until),
		.geometry = geometry,
		.attributes = attributes };
	return 0;
}

int rows_get_annotation(struct kv_txn *txn, uint64_t item, uint32_t n, struct annotation_row *ret)
{
	struct key k;
	struct slice value;
	int is_there = kv_get(txn, TABLE_ANNOTATION, key_annotation(&k, item, n), &value);
	return is_there <= 0 ? is_there : rows_read_annotation(txn, key_slice(&k), value, ret) < 0 ? -1 : 1;
}

int rows_put_annotation(struct kv_txn *txn, uint64_t item, uint32_t n, const struct annotation_row *row)
{
	struct annotation_disk d = { .format = FORMAT_2,
		.status = (uint8_t)row->status,
		.maker = (uint8_t)row->maker,
		.reason = (uint8_t)row->reason,
		.concept = htole32(row->concept),
		.worker = htole32(row->worker),
		.model = htole32(row->model),
		.version = htole32(row->version),
		.geometry_len = htole32((uint32_t)row->geometry.len),
		.confidence = confidence_bits(row->confidence),
		.object = htole64(row->object),
		.time_ms = htole64((uint64_t)row->time_ms),
		.since = htole64(row->since),
		.until = htole64(row->until) };
	struct slice tails[] = { row->geometry, row->attributes };
	struct key k;
	return packed_put(txn, TABLE_ANNOTATION, key_annotation(&k, item, n), HEAD(d), tails, 2);
}
