/* entries.h - items with one reference, its row and its labels, put together in a line or two, exported, and the export compared
 * byte by byte. */
#ifndef INLET_TESTS_EXPORT_ENTRIES_H
#define INLET_TESTS_EXPORT_ENTRIES_H

#include "daemon/base/cleanup.h"
#include "daemon/export/export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define AB8 "abababababababab"
#define SHA_AB AB8 AB8 AB8 AB8
#define LABELS_MAX 10

struct made {
	struct item item;
	struct reference reference;
	struct import_row row;          /* body empty: there is none */
	struct annotation labels[LABELS_MAX];
	size_t count;
};

/* A picture of 640 by 480 (other media have no size), in import 1 and at line `id` of it. body NULL: no list speaks of it. */
static inline struct made entry_make(uint64_t id, enum media media, const char *key, const char *body)
{
	static const char *const types[MEDIAS] = { "", "image/png", "text/plain", "audio/wav", "video/mp4", "application/zip" };
	struct made m = { .item = { .id = id, .bytes = 3, .state = ITEM_ROUTED, .media = media, .media_type = slice_of(types[media]) },
		.reference = { .source = SLICE_LIT("in"), .key = slice_of(key), .version = SLICE_LIT("v"), .layout = LAYOUT_TREE,
			.object = id, .state = OBJECT_PRESENT } };
	memset(m.item.content.sha256, 0xab, SHA256_BYTES);
	m.item.width = media == MEDIA_IMAGE ? 640 : 0;
	m.item.height = media == MEDIA_IMAGE ? 480 : 0;
	if (body)
		m.row = (struct import_row){ .object = id, .row = id, .import = 1, .line = id, .body = slice_of(body) };
	return m;
}

/* An accepted label that a list brought, of unknown maker and without a confidence. */
static inline struct annotation *entry_add(struct made *m, const char *concept, const char *geometry, const char *attributes)
{
	assert_true(m->count < LABELS_MAX);
	struct annotation *a = &m->labels[m->count++];
	*a = (struct annotation){ .n = (uint32_t)m->count, .concept = slice_of(concept), .confidence = -1, .status = STATUS_SUCCESS,
		.worker = SLICE_LIT("imported"), .object = m->reference.object, .geometry = slice_of(geometry),
		.attributes = slice_of(attributes) };
	return a;
}

static inline int entry_sink(void *arg, struct slice text, struct err *err)
{
	(void)err;
	buf_add(arg, text.p, text.len);
	return 0;
}

/* Every text is this one. */
static inline int entry_bytes(void *arg, const struct item *item, struct buf *to, struct err *err)
{
	(void)item;
	(void)err;
	buf_str(to, arg);
	return 0;
}

/* The whole export; *left, which the caller frees, is what was left out. import NULL: none told anything. */
static inline void entries_write(const struct export_options *options, const struct import *import, const struct made *entries, size_t n,
	struct buf *to, struct buf *left)
{
	struct export_options o = *options;
	struct err err = { 0 };
	int more = 1;
	o.spool_dir = "/tmp";
	struct exporter *x = exporter_new(&o, entry_sink, to);
	buf_str(to, "");
	buf_str(left, "");
	if (import)
		exporter_import(x, import);
	for (size_t i = 0; i < n; i++) {
		const struct made *m = &entries[i];
		const struct item_full full = { .item = m->item, .references = &m->reference, .reference_count = m->reference.key.len > 0,
			.annotations = m->labels, .annotation_count = m->count, .rows = &m->row, .row_count = m->row.body.len > 0 };
		if (exporter_add(x, &full, &err) < 0)
			fail_msg("item %zu: %s", i, err.text);
	}
	while (more > 0)
		more = exporter_end(x, &err);
	if (more < 0)
		fail_msg("the end: %s", err.text);
	exporter_left(x, left);
	exporter_free(x);
}

static inline void expect_export(const struct export_options *o, const struct import *import, const struct made *entries, size_t n,
	const char *expected, const char *left_out)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf left = { 0 };
	entries_write(o, import, entries, n, &text, &left);
	assert_string_equal(text.data, expected);
	assert_string_equal(left.data, left_out);
}

/* The geometries that a list may bring, one of each kind and form; on a picture of 640 by 480. */
#define BOX_PX "{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[80,60,320.50,240]}"
#define BOX_XYXY_PX "{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xyxy\",\"box\":[80,60,400,300]}"
#define BOX_CENTER "{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"cxcywh\",\"box\":[0.375,0.375,0.5,0.50]}"
#define BOX_CORNERS "{\"kind\":\"box\",\"unit\":\"fraction\",\"form\":\"xyxy\",\"box\":[0.1,0.1,0.60000000000000009,1]}"
#define BOX_PERCENT "{\"kind\":\"box\",\"unit\":\"percent\",\"size\":[640,480],\"form\":\"xywh\",\"box\":[12.5,12.5,50,50]}"
#define BOX_TURNED "{\"kind\":\"box\",\"unit\":\"px\",\"form\":\"xywh\",\"box\":[64,48,32,16],\"rotation\":90,\"pivot\":\"corner\"}"
#define POLYGON "{\"kind\":\"polygon\",\"unit\":\"px\",\"rings\":[[0,0,64,0,64,48.0]]}"
#define POLYGON_PARTS "{\"kind\":\"polygon\",\"unit\":\"px\",\"rings\":[[0,0,64,0,64,48],[1,1,2,1,2,2]]}"
#define POLYGON_FRACTION "{\"kind\":\"polygon\",\"unit\":\"fraction\",\"rings\":[[0,0,0.125,0,0.1250,0.125]]}"
#define LINE "{\"kind\":\"polygon\",\"unit\":\"px\",\"open\":true,\"rings\":[[0,0,64,48]]}"
#define MASK "{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"coco\",\"counts\":[5,2,307193],\"rle_size\":[480,640]}"
#define BRUSH "{\"kind\":\"mask\",\"unit\":\"px\",\"encoding\":\"labelstudio\",\"counts\":[1,2]}"
#define KEYPOINTS "{\"kind\":\"keypoints\",\"unit\":\"px\",\"form\":\"xyv\",\"points\":[64,48,2,0,0,0,128,96,1]}"
#define KEYPOINT "{\"kind\":\"keypoints\",\"unit\":\"fraction\",\"form\":\"xy\",\"points\":[0.5,0.25]}"
#define SPAN "{\"kind\":\"span\",\"unit\":\"character\",\"start\":1,\"end\":4}"
#define RANGE "{\"kind\":\"range\",\"unit\":\"s\",\"start\":1.50,\"end\":4}"
#define TRACK "{\"kind\":\"track\",\"unit\":\"percent\",\"sequence\":[]}"
#define RELATION "{\"kind\":\"relation\",\"from\":\"a\",\"to\":\"b\"}"
#define OTHER "{\"kind\":\"other\",\"type\":\"rating\",\"value\":{\"rating\":4}}"

/* Says which geometry a comparison is about. */
static inline void expect_text(const char *geometry, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("%s\n  became   %s\n  expected %s", geometry, got, expected);
}

#endif
