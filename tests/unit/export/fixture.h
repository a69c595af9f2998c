/* fixture.h - an item with references and annotations as a view gives it, for the tests of export. */
#ifndef INLET_TESTS_EXPORT_FIXTURE_H
#define INLET_TESTS_EXPORT_FIXTURE_H

#include "daemon/export/export.h"

struct sample {
	struct item_full full;
	struct reference references[3];
	struct annotation annotations[4];
};

/* Item id, a 640x480 PNG under two keys, with labels: model's tabby (success), model's lynx (waits), person's pet
 * (success, on the second reference), imported dog (denied). */
static inline void sample_init(struct sample *s, uint64_t id)
{
	*s = (struct sample){ .full.item = { .id = id, .bytes = 4096, .state = ITEM_ROUTED, .media = MEDIA_IMAGE,
		.media_type = SLICE_LIT("image/png"), .width = 640, .height = 480 } };
	memset(s->full.item.content.sha256, 0xab, SHA256_BYTES);
	s->references[0] = (struct reference){ .source = SLICE_LIT("drop"), .key = SLICE_LIT("a/cat.png"),
		.version = SLICE_LIT("v1"), .layout = LAYOUT_TREE, .object = 11, .state = OBJECT_PRESENT };
	s->references[1] = (struct reference){ .source = SLICE_LIT("drop"), .key = { "b/\xff.png", 7 },
		.version = SLICE_LIT("v2"), .layout = LAYOUT_TREE, .object = 12, .state = OBJECT_PRESENT };
	s->annotations[0] = (struct annotation){ .n = 1,
		.concept = SLICE_LIT("tabby"),
		.confidence = 0.93,
		.status = STATUS_SUCCESS,
		.worker = SLICE_LIT("model"),
		.model = SLICE_LIT("lite0"),
		.since = 3,
		.time_ms = 1000 };
	memset(s->annotations[0].model_version.sha256, 0x01, SHA256_BYTES);
	s->annotations[1] = s->annotations[0];
	s->annotations[1].n = 2;
	s->annotations[1].concept = SLICE_LIT("lynx");
	s->annotations[1].confidence = 0.5;
	s->annotations[1].status = STATUS_AWAITING_REVIEW;
	s->annotations[2] = (struct annotation){ .n = 3,
		.concept = SLICE_LIT("pet"),
		.confidence = -1,
		.status = STATUS_SUCCESS,
		.worker = SLICE_LIT("user:ann"),
		.object = 12,
		.since = 4,
		.time_ms = 2000 };
	s->annotations[3] = (struct annotation){ .n = 4, .concept = SLICE_LIT("dog"), .confidence = 1,
		.status = STATUS_REVIEW_DENIED, .worker = SLICE_LIT("imported") };
	s->full.references = s->references;
	s->full.reference_count = 2;
	s->full.annotations = s->annotations;
	s->full.annotation_count = 4;
}

#endif
