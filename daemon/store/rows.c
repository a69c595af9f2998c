/* rows.c - values of the index: packed little-endian structs, checked when they are read (rows.h). */
#include "daemon/store/rows.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/store/packed.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

/* item: 80 bytes, and 48 more and the facts once it is normalized. */
struct PACKED item_disk {
	uint8_t format, state, failed_stage, media, at;
	uint8_t zero[3];
	uint32_t segment;
	uint64_t offset, bytes;
	uint8_t sha256[SHA256_BYTES];
	uint64_t due_ms;
	uint32_t annotations;
};
struct PACKED item_known_disk {
	uint32_t media_type, width, height, normalizer;
	uint8_t canonical[SHA256_BYTES];
	/* facts */
};
/* object, a file: its version follows. A directory or a continued name: the first four bytes and the node. */
struct PACKED object_disk {
	uint8_t format, kind, state, flags;
	uint64_t number, item, bytes;
};
struct PACKED object_node_disk {
	uint8_t format, kind, state, flags;
	uint64_t node;
};
enum { FLAG_RACY = 1, FLAG_REF_GONE = 2, FLAG_CONTINUED = 4, FLAG_FLAT = 8, FLAG_MOUNTED = 16 };
/* directory: its name follows. */
struct PACKED directory_disk {
	uint8_t format, flags;
	uint8_t zero[2];
	uint32_t skipped;
	uint64_t parent, count, digest_lo, digest_hi, unsettled;
};
/* run: scores follow, 8 bytes each: u32 word of the concept, IEEE float. */
struct PACKED run_disk {
	uint8_t format;
	uint8_t zero[3];
	uint32_t model;
};
/* failure: version, reason and cure follow, and the rest is row. retry: 1; 2: archived. */
struct PACKED failure_disk {
	uint8_t format, stage, retry, zero;
	uint32_t attempts;
	uint64_t due_ms, bytes;
	uint32_t version_len, reason_len, cure_len;
};
/* source: kind, root, state and message follow. */
struct PACKED source_disk {
	uint8_t format;
	uint8_t zero[3];
	uint64_t last_pass_ms;
	uint32_t kind_len, root_len, state_len, message_len;
};
struct PACKED derived_disk {
	uint8_t format;
	uint8_t zero[3];
	uint32_t pack;
	uint64_t offset, bytes, check;
};

int rows_read_item(struct kv_txn *txn, struct slice key, struct slice value, struct item_row *ret)
{
	struct item_disk d;
	struct item_known_disk known = { 0 };
	struct slice tail;
	if (!packed_take(value, &d, sizeof(d), &tail) || d.state == ITEM_NONE || d.state >= ITEM_STATES ||
		d.failed_stage >= STAGES || d.media >= MEDIAS || d.at > LOCATION_REFERENCE ||
		(tail.len > 0 && tail.len < sizeof(known)))
		return rows_corrupt(txn, TABLE_ITEM, key);
	*ret = (struct item_row){ .state = d.state,
		.failed_stage = d.failed_stage,
		.media = d.media,
		.at = { .kind = d.at, .segment = le32toh(d.segment), .offset = le64toh(d.offset) },
		.bytes = le64toh(d.bytes),
		.due_ms = (int64_t)le64toh(d.due_ms),
		.annotations = le32toh(d.annotations) };
	memcpy(ret->content.sha256, d.sha256, SHA256_BYTES);
	if (tail.len == 0)
		return 0;
	memcpy(&known, tail.p, sizeof(known));
	ret->media_type = le32toh(known.media_type);
	ret->width = le32toh(known.width);
	ret->height = le32toh(known.height);
	ret->normalizer = le32toh(known.normalizer);
	memcpy(ret->canonical.sha256, known.canonical, SHA256_BYTES);
	ret->facts = (struct slice){ tail.p + sizeof(known), tail.len - sizeof(known) };
	return 0;
}

int rows_get_item(struct kv_txn *txn, uint64_t item, struct item_row *ret)
{
	struct key k;
	struct slice value;
	int is_there = kv_get(txn, TABLE_ITEM, key_item(&k, item), &value);
	return is_there <= 0 ? is_there : rows_read_item(txn, key_slice(&k), value, ret) < 0 ? -1 : 1;
}

int rows_put_item(struct kv_txn *txn, uint64_t item, const struct item_row *row)
{
	struct item_disk d = { .format = FORMAT,
		.state = (uint8_t)row->state,
		.failed_stage = (uint8_t)row->failed_stage,
		.media = (uint8_t)row->media,
		.at = (uint8_t)row->at.kind,
		.segment = htole32(row->at.segment),
		.offset = htole64(row->at.offset),
		.bytes = htole64(row->bytes),
		.due_ms = htole64((uint64_t)row->due_ms),
		.annotations = htole32(row->annotations) };
	memcpy(d.sha256, row->content.sha256, SHA256_BYTES);
	struct item_known_disk known = { .media_type = htole32(row->media_type), .width = htole32(row->width),
		.height = htole32(row->height), .normalizer = htole32(row->normalizer) };
	memcpy(known.canonical, row->canonical.sha256, SHA256_BYTES);
	bool is_known = row->media_type || row->normalizer || row->facts.len > 0 || !content_id_none(&row->canonical);
	struct slice tails[] = { HEAD(known), row->facts };
	struct key k;
	return packed_put(txn, TABLE_ITEM, key_item(&k, item), HEAD(d), tails, is_known ? 2 : 0);
}

int rows_read_object(struct kv_txn *txn, struct slice key, struct slice value, struct object_row *ret)
{
	struct object_node_disk node;
	struct object_disk d;
	struct slice tail;
	if (!packed_take(value, &node, sizeof(node), &tail) || node.kind < OBJECT_FILE || node.kind > OBJECT_CONTINUED ||
		node.state == OBJECT_NONE || node.state >= OBJECT_STATES)
		return rows_corrupt(txn, TABLE_OBJECT, key);
	*ret = (struct object_row){ .kind = node.kind, .state = node.state, .racy = node.flags & FLAG_RACY,
		.ref_gone = node.flags & FLAG_REF_GONE, .layout = node.flags & FLAG_FLAT ? LAYOUT_FLAT : LAYOUT_TREE };
	if (node.kind != OBJECT_FILE) {
		ret->node = le64toh(node.node);
		return 0;
	}
	if (!packed_take(value, &d, sizeof(d), &tail))
		return rows_corrupt(txn, TABLE_OBJECT, key);
	ret->number = le64toh(d.number);
	ret->item = le64toh(d.item);
	ret->bytes = le64toh(d.bytes);
	ret->version = tail;
	return 0;
}

int rows_get_object(struct kv_txn *txn, struct slice key, struct object_row *ret)
{
	struct slice value;
	int is_there = kv_get(txn, TABLE_OBJECT, key, &value);
	return is_there <= 0 ? is_there : rows_read_object(txn, key, value, ret) < 0 ? -1 : 1;
}

int rows_put_object(struct kv_txn *txn, struct slice key, const struct object_row *row)
{
	uint8_t flags = (uint8_t)((row->racy ? FLAG_RACY : 0) | (row->ref_gone ? FLAG_REF_GONE : 0) |
		(row->layout == LAYOUT_FLAT ? FLAG_FLAT : 0));
	if (row->kind != OBJECT_FILE) {
		struct object_node_disk d = { .format = FORMAT,
			.kind = (uint8_t)row->kind,
			.state = (uint8_t)row->state,
			.flags = flags,
			.node = htole64(row->node) };
		return kv_put(txn, TABLE_OBJECT, key, HEAD(d));
	}
	struct object_disk d = { .format = FORMAT, .kind = OBJECT_FILE, .state = (uint8_t)row->state, .flags = flags,
		.number = htole64(row->number), .item = htole64(row->item), .bytes = htole64(row->bytes) };
	return packed_put(txn, TABLE_OBJECT, key, HEAD(d), &row->version, 1);
}

int rows_get_directory(struct kv_txn *txn, uint32_t source, uint64_t node, struct directory_row *ret)
{
	struct key k;
	struct directory_disk d;
	struct slice value, name;
	int is_there = kv_get(txn, TABLE_DIRECTORY, key_directory(&k, source, node), &value);
	if (is_there <= 0)
		return is_there;
	if (!packed_take(value, &d, sizeof(d), &name))
		return rows_corrupt(txn, TABLE_DIRECTORY, key_slice(&k));
	*ret = (struct directory_row){ .continued = d.flags & FLAG_CONTINUED,
		.mounted = d.flags & FLAG_MOUNTED,
		.parent = le64toh(d.parent),
		.count = le64toh(d.count),
		.digest = { .lo = le64toh(d.digest_lo), .hi = le64toh(d.digest_hi) },
		.unsettled = le64toh(d.unsettled),
		.skipped = le32toh(d.skipped),
		.name = name };
	return 1;
}

int rows_put_directory(struct kv_txn *txn, uint32_t source, uint64_t node, const struct directory_row *row)
{
	struct directory_disk d = { .format = FORMAT,
		.flags = (uint8_t)((row->continued ? FLAG_CONTINUED : 0) | (row->mounted ? FLAG_MOUNTED : 0)),
		.skipped = htole32(row->skipped),
		.parent = htole64(row->parent),
		.count = htole64(row->count),
		.digest_lo = htole64(row->digest.lo),
		.digest_hi = htole64(row->digest.hi),
		.unsettled = htole64(row->unsettled) };
	struct key k;
	return packed_put(txn, TABLE_DIRECTORY, key_directory(&k, source, node), HEAD(d), &row->name, 1);
}

static uint32_t float_bits(float f)
{
	uint32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	return htole32(bits);
}

static float bits_float(uint32_t le_bits)
{
	uint32_t bits = le32toh(le_bits);
	float f;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

int rows_read_run(struct kv_txn *txn, struct slice key, struct slice value, struct run_row *ret)
{
	struct run_disk d;
	struct slice tail;
	if (!packed_take(value, &d, sizeof(d), &tail) || tail.len % RUN_SCORE_BYTES != 0)
		return rows_corrupt(txn, TABLE_RUN, key);
	*ret = (struct run_row){ .model = le32toh(d.model),
		.count = tail.len / RUN_SCORE_BYTES,
		.scores = (const uint8_t *)tail.p };
	return 0;
}

void run_score(const struct run_row *row, size_t i, uint32_t *ret_concept, float *ret_confidence)
{
	uint32_t part[2];
	memcpy(part, row->scores + i * RUN_SCORE_BYTES, sizeof(part));
	*ret_concept = le32toh(part[0]);
	*ret_confidence = bits_float(part[1]);
}

int rows_put_run(struct kv_txn *txn, uint64_t item, uint32_t version, uint32_t model, const struct score *scores,
	const uint32_t *concepts, size_t count)
{
	struct run_disk d = { .format = FORMAT, .model = htole32(model) };
	CLEANUP(freep) uint32_t *parts = mem_zero(2 * count + 1, sizeof(*parts));
	for (size_t i = 0; i < count; i++) {
		parts[2 * i] = htole32(concepts[i]);
		parts[2 * i + 1] = float_bits(scores[i].confidence);
	}
	struct slice tail = { (const char *)parts, count * RUN_SCORE_BYTES };
	struct key k;
	return packed_put(txn, TABLE_RUN, key_run(&k, item, version), HEAD(d), &tail, 1);
}

int rows_read_failure(struct kv_txn *txn, struct slice key, struct slice value, struct failure_row *ret)
{
	struct failure_disk d;
	struct slice tail, version, reason, cure;
	if (!packed_take(value, &d, sizeof(d), &tail) || d.stage >= STAGES || !packed_cut(&tail, d.version_len, &version) ||
		!packed_cut(&tail, d.reason_len, &reason) || !packed_cut(&tail, d.cure_len, &cure))
		return rows_corrupt(txn, TABLE_FAILURE, key);
	*ret = (struct failure_row){ .stage = d.stage,
		.retry = d.retry == 1,
		.archived = d.retry == 2,
		.attempts = le32toh(d.attempts),
		.due_ms = (int64_t)le64toh(d.due_ms),
		.bytes = le64toh(d.bytes),
		.version = version,
		.reason = reason,
		.cure = cure,
		.row = tail };
	return 0;
}

int rows_get_failure(struct kv_txn *txn, enum failure_subject subject, uint64_t number, struct failure_row *ret)
{
	struct key k;
	struct slice value;
	int is_there = kv_get(txn, TABLE_FAILURE, key_failure(&k, subject, number), &value);
	return is_there <= 0 ? is_there : rows_read_failure(txn, key_slice(&k), value, ret) < 0 ? -1 : 1;
}

int rows_put_failure(struct kv_txn *txn, enum failure_subject subject, uint64_t number, const struct failure_row *row)
{
	struct failure_disk d = { .format = FORMAT,
		.stage = (uint8_t)row->stage,
		.retry = row->archived ? 2 : row->retry,
		.attempts = htole32(row->attempts),
		.due_ms = htole64((uint64_t)row->due_ms),
		.bytes = htole64(row->bytes),
		.version_len = htole32((uint32_t)row->version.len),
		.reason_len = htole32((uint32_t)row->reason.len),
		.cure_len = htole32((uint32_t)row->cure.len) };
	struct slice tails[] = { row->version, row->reason, row->cure, row->row };
	struct key k;
	return packed_put(txn, TABLE_FAILURE, key_failure(&k, subject, number), HEAD(d), tails, 4);
}

int rows_read_source(struct kv_txn *txn, struct slice key, struct slice value, struct source_value *ret)
{
	struct source_disk d;
	struct slice tail;
	if (!packed_take(value, &d, sizeof(d), &tail) || !packed_cut(&tail, d.kind_len, &ret->kind) ||
		!packed_cut(&tail, d.root_len, &ret->root) || !packed_cut(&tail, d.state_len, &ret->state) ||
		!packed_cut(&tail, d.message_len, &ret->message))
		return rows_corrupt(txn, TABLE_SOURCE, key);
	ret->last_pass_ms = (int64_t)le64toh(d.last_pass_ms);
	return 0;
}

int rows_get_source(struct kv_txn *txn, struct slice name, struct source_value *ret)
{
	struct slice value;
	int is_there = kv_get(txn, TABLE_SOURCE, name, &value);
	return is_there <= 0 ? is_there : rows_read_source(txn, name, value, ret) < 0 ? -1 : 1;
}

int rows_put_source(struct kv_txn *txn, struct slice name, const struct source_value *row)
{
	struct source_disk d = { .format = FORMAT, .last_pass_ms = htole64((uint64_t)row->last_pass_ms),
		.kind_len = htole32((uint32_t)row->kind.len), .root_len = htole32((uint32_t)row->root.len),
		.state_len = htole32((uint32_t)row->state.len), .message_len = htole32((uint32_t)row->message.len) };
	struct slice tails[] = { row->kind, row->root, row->state, row->message };
	return packed_put(txn, TABLE_SOURCE, name, HEAD(d), tails, 4);
}

int rows_get_derived(struct kv_txn *txn, uint64_t item, enum derived_kind kind, struct record_derived *ret)
{
	struct key k;
	struct derived_disk d;
	struct slice value, tail;
	int is_there = kv_get(txn, TABLE_DERIVED, key_derived(&k, item, kind), &value);
	if (is_there <= 0)
		return is_there;
	if (!packed_take(value, &d, sizeof(d), &tail))
		return rows_corrupt(txn, TABLE_DERIVED, key_slice(&k));
	*ret = (struct record_derived){ .item = item,
		.kind = kind,
		.pack = le32toh(d.pack),
		.offset = le64toh(d.offset),
		.bytes = le64toh(d.bytes),
		.check = le64toh(d.check) };
	return 1;
}

int rows_put_derived(struct kv_txn *txn, const struct record_derived *d)
{
	struct derived_disk disk = { .format = FORMAT, .pack = htole32(d->pack), .offset = htole64(d->offset),
		.bytes = htole64(d->bytes), .check = htole64(d->check) };
	struct key k;
	return kv_put(txn, TABLE_DERIVED, key_derived(&k, d->item, d->kind), HEAD(disk));
}
