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

static const char *const folder_store_modes[] = {
	[STORE_COPY] = "copy", [STORE_REFERENCE] = "reference", [STORE_REFLINK] = "reflink", NULL
};
static const char *const bucket_store_modes[] = { [STORE_COPY] = "copy", [STORE_REFERENCE] = "reference", NULL };
static const char *const gone_modes[] = { [ON_GONE_KEEP] = "keep", [ON_GONE_EXCLUDE] = "exclude", NULL };

#define AT(member) offsetof(struct file_section, member)
const struct option file_options[] = {
	{ "state_dir", OPTION_PATH, AT(state_dir), 0, 0, NULL, NULL,
		"store, index and socket; outside every watched folder" },
	{ "sources", OPTION_NODE, AT(sources), 0, 0, NULL, NULL,
		"list of what is watched; []: nothing, only `inlet import` brings something in" },
	{ "models", OPTION_NODE, AT(models), 0, 0, "", NULL, "list of models that label; none: no inference" },
	{ "limits", OPTION_NODE, AT(limits), 0, 0, "", NULL, "what may be used" },
	{ "normalize", OPTION_BOOL, AT(normalize), 0, 0, "on", NULL,
		"decode media; off: items stay \"committed\" until it is on" },
	{ "inference", OPTION_NODE, AT(inference), 0, 0, "", NULL, "how models run" },
	{ "fetch", OPTION_NODE, AT(fetch), 0, 0, "", NULL, "how files are read" },
	{ "decode", OPTION_NODE, AT(decode), 0, 0, "", NULL, "how media are decoded" },
	{ "import", OPTION_NODE, AT(import), 0, 0, "", NULL, "how manifests and folders are imported" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct source_section, member)
const struct option source_options[] = {
	{ "name", OPTION_STRING, AT(name), 0, 0, NULL, NULL,
		"1 to 64 of A-Z a-z 0-9 . _ -, unique; the dataset knows it by this" },
	{ "folder", OPTION_NODE, AT(folder), 0, 0, "", NULL, "a watched folder" },
	{ "s3", OPTION_NODE, AT(s3), 0, 0, "", NULL, "a bucket that speaks S3: Amazon, MinIO, Ceph, R2, ..." },
	{ "gcs", OPTION_NODE, AT(gcs), 0, 0, "", NULL, "a bucket of Google Cloud Storage" },
	{ "manifest", OPTION_NODE, AT(manifest), 0, 0, "", NULL,
		"lists that arrive in a folder or bucket: what their rows name is imported" },
	{ 0 },
};
#undef AT

#define AT(member) offsetof(struct manifest_section, member)
const struct option manifest_options[] = {
	{ "folder", OPTION_NODE, AT(folder), 0, 0, "", NULL, "where the lists arrive: a folder, as above, ..." },
	{ "s3", OPTION_NODE, AT(s3), 0, 0, "", NULL, "... or a bucket that speaks S3, ..." },
	{ "gcs", OPTION_NODE, AT(gcs), 0, 0, "", NULL, "... or one of Google Cloud Storage" },
	{ "names", OPTION_STRINGS, AT(config.names), 0, 0, "", NULL,
		"globs of what is a list; none: *.csv *.tsv *.json *.jsonl *.ndjson *.manifest *.txt *.yaml *.yml, also *.gz *.zst" },
	{ "roots", OPTION_STRINGS, AT(config.roots), 0, 0, "", NULL,
		"folders beneath which rows may read files; none: the watched folder" },
	{ "columns", OPTION_NODE, AT(columns), 0, 0, "", NULL, "as import.columns, instead of these" },
	{ "input", OPTION_ENUM, AT(config.input), 0, 0, "", manifest_input_words, "as import.input, instead of that" },
	{ "format", OPTION_ENUM, AT(config.format), 0, 0, "auto", manifest_format_words, "auto: each list shows it" },
	{ 0 },
};
#undef AT

static const char *const label_modes[] = { [LABELS_FROM_NONE] = "none", [LABELS_FROM_DIRECTORY] = "directory", NULL };
static const char *const sidecar_modes[] = { [SIDECARS_OFF] = "off", [SIDECARS_JSON] = "json", NULL };
#define AT(member) offsetof(struct source_config, member)
/* What every kind of source has. */
#define SOURCE_OPTIONS                                                                                                 \
	{ "labels_from", OPTION_ENUM, AT(labels_from), 0, 0, "none", label_modes,                                      \
		"directory: the folder that a file is in is its label; train, val and test are splits" },              \
	{ "sidecars", OPTION_ENUM, AT(sidecars), 0, 0, "off", sidecar_modes,                                           \
		"json: NAME.json beside NAME holds labels and metadata of it and is no item itself" },                 \
	{ "on_gone", OPTION_ENUM, AT(on_gone), 0, 0, "keep", gone_modes,                                               \
		"an item whose last object went: stays in exports, or is left out of them" },                          \
	{ "max_vanish", OPTION_FLOAT, AT(max_vanish), 0, 1, "0.2", NULL,                                               \
		"on_gone exclude: if more than this share goes at once, stop and ask (from 101 objects)" }

const struct option folder_options[] = {
	{ "path", OPTION_PATH, AT(folder.path), 0, 0, NULL, NULL, "the folder; watched with everything below it" },
	{ "settle", OPTION_DURATION, AT(folder.settle_ms), 0, DAY, "2s", NULL,
		"a file unchanged for this long is complete" },
	{ "reconcile", OPTION_DURATION, AT(folder.reconcile_ms), SECOND, 365 * DAY, "1h", NULL,
		"compare all of it with the index this often" },
	{ "poll", OPTION_DURATION, AT(folder.poll_ms), 0, DAY, "0", NULL,
		"look this often instead of inotify; 0: inotify where it works" },
	{ "store", OPTION_ENUM, AT(store), 0, 0, "copy", folder_store_modes,
		"keep the bytes, index them in place, or share their extents" },
	{ "ignore", OPTION_STRINGS, AT(folder.ignore), 0, 0, "", NULL,
		"file name patterns to pass over; temporary names always are" },
	SOURCE_OPTIONS,
	{ 0 },
};

/* What every kind of bucket has: the union's members begin alike. */
#define BUCKET_OPTIONS                                                                                                 \
	{ "bucket", OPTION_STRING, AT(bucket.bucket), 0, 0, NULL, NULL, "its name" },                                  \
	{ "prefix", OPTION_STRING, AT(bucket.prefix), 0, 0, "", NULL,                                                  \
		"only keys that begin with this, byte for byte; empty: all" },                                         \
	{ "include", OPTION_STRINGS, AT(bucket.include), 0, 0, "", NULL,                                               \
		"globs over the key after the prefix, '*' matches '/' too; none: all" },                               \
	{ "exclude", OPTION_STRINGS, AT(bucket.exclude), 0, 0, "", NULL, "globs to leave out; they win over include" },\
	{ "endpoint", OPTION_STRING, AT(bucket.endpoint), 0, 0, "", NULL,                                              \
		"https://host[:port]; empty: the provider's own" },                                                    \
	{ "ca_file", OPTION_PATH, AT(bucket.ca_file), 0, 0, "", NULL,                                                  \
		"PEM of the authority that signed the endpoint's certificate; empty: the system's" },                  \
	{ "proxy", OPTION_STRING, AT(bucket.proxy), 0, 0, "", NULL, "http://host:port; the environment's is ignored" },\
	{ "poll", OPTION_DURATION, AT(bucket.poll_ms), SECOND, 30 * DAY, "5m", NULL, "list the bucket this often" },   \
	{ "concurrency", OPTION_U32, AT(bucket.concurrency), 0, BUCKET_CONCURRENCY_MAX, "0", NULL,                     \
		"objects fetched at once, at most; limits.memory bounds it too; 0: found out" },                                                    \
	{ "store", OPTION_ENUM, AT(store), 0, 0, "copy", bucket_store_modes, "keep the bytes, or index them in place" }

const struct option s3_options[] = {
	BUCKET_OPTIONS,
	{ "region", OPTION_STRING, AT(s3.region), 0, 0, "", NULL,
		"empty: from the environment or the profile, else the server tells" },
	{ "path_style", OPTION_BOOL, AT(s3.path_style), 0, 0, "", NULL,
		"https://host/bucket; if not given: on where there is an endpoint" },
	{ "profile", OPTION_STRING, AT(s3.profile), 0, 0, "", NULL, "in ~/.aws; empty: AWS_PROFILE, else \"default\"" },
	{ "credentials", OPTION_PATH, AT(s3.credentials), 0, 0, "", NULL,
		"a file like ~/.aws/credentials; empty: found in AWS's order" },
	{ "anonymous", OPTION_BOOL, AT(s3.anonymous), 0, 0, "off", NULL, "a public bucket: requests are not signed" },
	{ "request_payer", OPTION_BOOL, AT(s3.request_payer), 0, 0, "off", NULL, "we pay for requests and traffic" },
	SOURCE_OPTIONS,
	{ 0 },
};

const struct option gcs_options[] = {
	BUCKET_OPTIONS,
	{ "credentials", OPTION_PATH, AT(gcs.credentials), 0, 0, "", NULL,
		"a JSON key or workload identity file; empty: found in Google's order" },
	{ "user_project", OPTION_STRING, AT(gcs.user_project), 0, 0, "", NULL, "project that pays for the requests" },
	{ "anonymous", OPTION_BOOL, AT(gcs.anonymous), 0, 0, "off", NULL, "a public bucket: requests carry no token" },
	SOURCE_OPTIONS,
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
	{ "networks", OPTION_STRINGS, AT(networks), 0, 0, "", NULL,
		"that URLs in manifests may reach beside public addresses, like 10.1.0.0/16" },
	{ 0 },
};
const struct option decode_options[] = {
	{ "workers", OPTION_U32, AT(decode_workers), 0, 256, "0", NULL, "inlet-decode processes; 0: one a core" },
	{ 0 },
};
#undef AT

const char *const manifest_input_words[INPUTS + 1] = {
	[INPUT_AUTO] = "auto", [INPUT_URL] = "url", [INPUT_FILE_PATH] = "file_path", [INPUT_RAW] = "raw"
};
const char *const manifest_format_words[MANIFEST_FORMATS + 1] = {
	[MANIFEST_AUTO] = "auto", [MANIFEST_CSV] = "csv", [MANIFEST_JSONL] = "jsonl", [MANIFEST_CLARIFAI] = "clarifai",
	[MANIFEST_LABEL_STUDIO] = "labelstudio", [MANIFEST_GROUND_TRUTH] = "groundtruth", [MANIFEST_VERTEX] = "vertex",
	[MANIFEST_AUTOML] = "automl", [MANIFEST_CVAT] = "cvat", [MANIFEST_HUGGING_FACE] = "huggingface", [MANIFEST_COCO] = "coco",
	[MANIFEST_YOLO] = "yolo", [MANIFEST_OPENAI] = "openai", [MANIFEST_URLS] = "urls", [MANIFEST_SIDECAR] = "sidecar"
};

#define AT(member) offsetof(struct import_section, member)
const struct option import_options[] = {
	{ "columns", OPTION_NODE, AT(columns), 0, 0, "", NULL,
		"of plain CSV and JSONL: which one says what, where a list has it; --columns replaces all of it" },
	{ "input", OPTION_ENUM, AT(config.input), 0, 0, "auto", manifest_input_words, "what an `input` column holds; --input" },
	{ "field", OPTION_BYTES, AT(config.field_bytes), KIB, 16 * MIB, "1MiB", NULL,
		"a row with a longer field or string fails" },
	{ "batch", OPTION_U32, AT(config.batch), 1, 128, "32", NULL, "files of a folder that are imported at once" },
	{ 0 },
};
#undef AT

#define COLUMN(name, role, help) { name, OPTION_STRING, offsetof(struct columns_config, of[role]), 0, 0, "", NULL, help }
const struct option columns_options[] = {
	COLUMN("id", ROLE_ID, "the row's own id"),
	COLUMN("input", ROLE_INPUT, "a URL, a path or a text, as `input` says"),
	COLUMN("url", ROLE_URL, "http(s), s3 or gs"),
	COLUMN("path", ROLE_PATH, "of a file"),
	COLUMN("text", ROLE_TEXT, "the content itself"),
	COLUMN("label", ROLE_LABEL, "one concept"),
	COLUMN("labels", ROLE_LABELS, "several: a JSON list, or separated by , ; |"),
	COLUMN("confidence", ROLE_CONFIDENCE, "of its labels, 0 to 1"),
	COLUMN("status", ROLE_STATUS, "of its labels, like ANNOTATION_SUCCESS"),
	COLUMN("maker", ROLE_MAKER, "who made the labels"),
	COLUMN("split", ROLE_SPLIT, "train, val or test"),
	COLUMN("metadata", ROLE_METADATA, "a JSON object"),
	COLUMN("media", ROLE_MEDIA, "media type"),
	COLUMN("size", ROLE_SIZE, "bytes of the file"),
	COLUMN("checksum", ROLE_CHECKSUM, "of the file"),
	COLUMN("width", ROLE_WIDTH, "of the image, pixels"),
	COLUMN("height", ROLE_HEIGHT, "of the image, pixels"),
	COLUMN("xmin", ROLE_XMIN, "left of a box"),
	COLUMN("ymin", ROLE_YMIN, "top of a box"),
	COLUMN("xmax", ROLE_XMAX, "right of a box"),
	COLUMN("ymax", ROLE_YMAX, "bottom of a box"),
	{ 0 },
};
