/* schema.c - every option of the configuration: one row gives parsing, range, default and help. */
#include "config/schema.h"

#include <math.h>
#include <stddef.h>

#define KIB 1024.0
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define TIB (KIB * GIB)
#define SECOND 1000.0
#define DAY (86400 * SECOND)

static const char *const store_modes[] = {
	[STORE_COPY] = "copy", [STORE_REFLINK] = "reflink", [STORE_REFERENCE] = "reference", NULL
};

#define AT(member) offsetof(struct file_section, member)
const struct option file_options[] = {
	{ "state_dir", OPTION_PATH, AT(state_dir), 0, 0, NULL, NULL,
		"store, index and socket; outside every watched folder" },
	{ "sources", OPTION_NODE, AT(sources), 0, 0, NULL, NULL, "list of what is watched" },
	{ "models", OPTION_NODE, AT(models), 0, 0, "", NULL, "list of models that label; none: no inference" },
	{ "limits", OPTION_NODE, AT(limits), 0, 0, "", NULL, "what may be used" },
	{ "normalize", OPTION_BOOL, AT(normalize), 0, 0, "on", NULL,
		"decode media; off: items stay \"committed\" until it is on" },
	{ "inference", OPTION_NODE, AT(inference), 0, 0, "", NULL, "how models run" },
	{ "fetch", OPTION_NODE, AT(fetch), 0, 0, "", NULL, "how files are read" },
	{ "decode", OPTION_NODE, AT(decode), 0, 0, "", NULL, "how media are decoded" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct source_section, member)
const struct option source_options[] = {
	{ "name", OPTION_STRING, AT(name), 0, 0, NULL, NULL,
		"1 to 64 of A-Z a-z 0-9 . _ -, unique; the dataset knows it by this" },
	{ "folder", OPTION_NODE, AT(folder), 0, 0, NULL, NULL, "a watched folder" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct folder_config, member)
const struct option folder_options[] = {
	{ "path", OPTION_PATH, AT(path), 0, 0, NULL, NULL, "the folder; watched with everything below it" },
	{ "settle", OPTION_DURATION, AT(settle_ms), 0, DAY, "2s", NULL, "a file unchanged for this long is complete" },
	{ "reconcile", OPTION_DURATION, AT(reconcile_ms), SECOND, 365 * DAY, "1h", NULL,
		"compare all of it with the index this often" },
	{ "poll", OPTION_DURATION, AT(poll_ms), 0, DAY, "0", NULL,
		"look this often instead of inotify; 0: inotify where it works" },
	{ "store", OPTION_ENUM, AT(store), 0, 0, "copy", store_modes,
		"keep the bytes, share their extents, or index them in place" },
	{ "ignore", OPTION_STRINGS, AT(ignore), 0, 0, "", NULL,
		"file name patterns to pass over; temporary names always are" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct model_section, member)
const struct option model_options[] = {
	{ "card", OPTION_STRING, AT(card), 0, 0, NULL, NULL,
		"model card: beside this file, else among the shipped ones" },
	{ "bands", OPTION_NODE, AT(bands), 0, 0, "", NULL, "confidence bands instead of the card's" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct bands_section, member)
const struct option bands_options[] = {
	{ "accept", OPTION_FLOAT, AT(accept), 0, 1, "", NULL, "from here up a label is ANNOTATION_SUCCESS" },
	{ "review", OPTION_FLOAT, AT(review), 0, 1, "", NULL,
		"from here up it is ANNOTATION_AWAITING_REVIEW; below, none" },
	{ "concepts", OPTION_NODE, AT(concepts), 0, 0, "", NULL, "bands of single concepts: {NAME: {accept, review}}" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct limits_config, member)
const struct option limits_options[] = {
	{ "memory", OPTION_BYTES, AT(memory_bytes), 32 * MIB, INFINITY, "512MiB", NULL, "buffers of fetch and decode" },
	{ "object", OPTION_BYTES, AT(object_bytes), 1, INFINITY, "10GiB", NULL, "larger files are quarantined" },
	{ "reserve", OPTION_BYTES, AT(reserve_bytes), 0, INFINITY, "1GiB", NULL,
		"intake pauses when the disk has less free" },
	{ "map", OPTION_BYTES, AT(map_bytes), MIB, 64 * TIB, "256GiB", NULL,
		"address space of the index; it pauses at 90 %" },
	{ "segment", OPTION_BYTES, AT(segment_bytes), MIB, TIB, "1GiB", NULL,
		"a segment of the store is sealed at this size" },
	{ "decode", OPTION_BYTES, AT(decode_bytes), 1, TIB, "100MB", NULL, "larger media are not decoded" },
	{ "pixels", OPTION_U64, AT(pixels), 1, INFINITY, "100000000", NULL,
		"images with more, frames summed, are not decoded" },
	{ "decode_time", OPTION_DURATION, AT(decode_ms), 100, DAY, "30s", NULL,
		"a file that takes longer is not decoded" },
	{ "attempts", OPTION_U32, AT(attempts), 1, 100, "5", NULL,
		"tries before quarantine; the outside world has no limit" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct config, member)
const struct option inference_options[] = {
	{ "batch", OPTION_U32, AT(batch), 1, 128, "32", NULL, "items a model sees at once" },
	{ "age", OPTION_DURATION, AT(batch_age_ms), 0, 60 * SECOND, "50ms", NULL,
		"a batch that is not full waits this long" },
	{ "threads", OPTION_U32, AT(infer_threads), 0, 1024, "0", NULL, "of a model; 0: all cores" },
	{ "library", OPTION_PATH, AT(onnxruntime), 0, 0, "", NULL, "libonnxruntime.so to load; empty: search" },
	{ 0 },
};
const struct option fetch_options[] = {
	{ "threads", OPTION_U32, AT(fetch_threads), 0, 256, "0", NULL, "that read files; 0: by cores" },
	{ 0 },
};
const struct option decode_options[] = {
	{ "workers", OPTION_U32, AT(decode_workers), 0, 256, "0", NULL, "inlet-decode processes; 0: one a core" },
	{ 0 },
};
#undef AT
