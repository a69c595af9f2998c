/* verbs.c - the one table of verbs. */
#include "daemon/cli/verbs.h"

#include "daemon/base/text.h"

#define END { NULL, 0, NULL, NULL }

static const struct verb_option items_options[] = {
	{ "state", 0, "STATE", "committed, parked, normalized, inferred, routed or quarantined" },
	{ "status", 0, "STATUS", "with a label of ANNOTATION_SUCCESS, ANNOTATION_AWAITING_REVIEW, …" },
	{ "concept", 0, "NAME", "with this label" },
	{ "source", 0, "NAME", "that a source carries now" },
	{ "after", 0, "ID", "only items with a larger id" },
	{ "limit", 0, "N", "at most N of them (1 to 10000)" },
	{ "full", 0, NULL, "with history, facts and scores, as `inlet show`" },
	END,
};
static const struct verb_option cat_options[] = {
	{ "thumbnail", 0, NULL, "the small picture" },
	{ "canonical", 0, NULL, "the canonical form: upright sRGB, or UTF-8 text" },
	END,
};
static const struct verb_option failures_options[] = {
	{ "after", 0, "ID", "only failures after this one" },
	{ "limit", 0, "N", "at most N of them (1 to 10000)" },
	{ "import", 0, "N", "only those of import N" },
	{ "format", 0, "csv", "rows of a manifest that failed as a manifest of their own: mend it and import it" },
	END,
};
static const struct verb_option retry_options[] = {
	{ "all", 0, NULL, "everything that failed" },
	{ "no-wait", 0, NULL, "return at once, not when the work is done" },
	END,
};
static const struct verb_option sync_options[] = {
	{ "accept-gone", 0, NULL, "believe it although very many objects have gone" },
	{ "no-wait", 0, NULL, "return at once, not when the work is done" },
	END,
};
static const struct verb_option relabel_options[] = {
	{ "no-wait", 0, NULL, "return at once, not when the work is done" },
	END,
};
static const struct verb_option wait_options[] = {
	{ "timeout", 0, "SECONDS", "give up after this time (exit 1)" },
	END,
};
static const struct verb_option import_options[] = {
	{ "name", 0, "NAME", "of the import, under which it is known when it comes again; for '-' it must be given" },
	{ "format", 0, "FORMAT", "csv, jsonl, clarifai, urls, … (as a rule it is recognised); folder: every file as it is" },
	{ "input", 0, "url|file_path|raw", "what the values of an input column are (else as they look)" },
	{ "columns", 0, "ROLE=COLUMN,…", "which column says what, like url=image_url,label=class" },
	{ "root", 0, "FOLDER", "that paths must stay beneath; they begin in the manifest's own folder, or else here. Its own folder is the default" },
	{ "labels-from", 0, "directory", "of a folder: the folder that a file is in is its label; train, val and test are splits" },
	{ "no-sidecars", 0, NULL, "of a folder: NAME.json beside NAME is a file like any other, not the labels of NAME" },
	{ "chunk", 0, "N", "of a folder: files that become durable together (1 to 128); else `import: {batch: …}`, which is 32" },
	{ "chunks", 0, NULL, "of a folder: a line for each of these chunks" },
	{ "no-wait", 0, NULL, "return when the rows are in, not when their items are labelled" },
	END,
};
static const struct verb_option export_options[] = {
	{ "format", 0, "FORMAT", "jsonl (as `inlet items --json`, the default), coco (pictures only), yolo (a tar of data.yaml and "
		"labels/, to be unpacked beside images/), or a list: labelstudio, cvat, clarifai, "
		"groundtruth, huggingface, vertex" },
	{ "by", 0, "item|reference|row", "one entry an item, one for each file that carries it, or one for each row of a "
		"manifest that named it, else the item (default for lists)" },
	{ "attribute", 0, "NAME", "groundtruth: of labels that came in no answer of its (default: label)" },
	{ "review", 0, NULL, "also labels that wait for review; labelstudio says of all how they stand" },
	{ "output", 'o', "FILE", "into a file, which appears only when it is whole; never into a watched folder" },
	END,
};
static const struct verb_option verify_options[] = {
	{ "slice", 0, "I/N", "re-hash only the I-th of N shares of the bytes (1/30: a thirtieth)" },
	END,
};

static const struct verb verbs[] = {
	{ "status", "", "how things stand: sources, items, labels, work, store", NEEDS_OWNER, 0, 0, verb_status, NULL },
	{ "sources", "", "the sources and what they carry", NEEDS_OWNER, 0, 0, verb_sources, NULL },
	{ "items", "[filters]", "list the items of the dataset", NEEDS_OWNER, 0, 0, verb_items, items_options },
	{ "show", "ID", "all that is known of one item", NEEDS_OWNER, 1, 1, verb_show, NULL },
	{ "cat", "ID [> FILE]", "the bytes of one item", NEEDS_OWNER, 1, 1, verb_cat, cat_options },
	{ "accept", "ID [LABEL]", "accept a suggested label, or all that wait on the item", NEEDS_OWNER, 1, 2,
		verb_accept, NULL },
	{ "reject", "ID [LABEL]", "reject a suggested label, or all that wait on the item", NEEDS_OWNER, 1, 2,
		verb_reject, NULL },
	{ "label", "ID LABEL", "give an item a label of your own", NEEDS_OWNER, 2, 2, verb_label, NULL },
	{ "failures", "", "what could not be done, why, and what would help", NEEDS_OWNER, 0, 0, verb_failures,
		failures_options },
	{ "retry", "ID… | --all", "try failed work again now", NEEDS_OWNER, 0, WORDS_ANY, verb_retry, retry_options },
	{ "sync", "[SOURCE]", "look at a source, or at all, and take in what is new", NEEDS_OWNER, 0, 1, verb_sync,
		sync_options },
	{ "wait", "", "return when nothing is left to do", NEEDS_OWNER, 0, 0, verb_wait, wait_options },
	{ "relabel", "", "run the current models over items that have not seen them", NEEDS_OWNER, 0, 0, verb_relabel,
		relabel_options },
	{ "pause", "[SOURCE]", "take in nothing new until `inlet resume`", NEEDS_OWNER, 0, 1, verb_pause, NULL },
	{ "resume", "[SOURCE]", "take in again", NEEDS_OWNER, 0, 1, verb_resume, NULL },
	{ "import", "FILE | FOLDER | -", "take in the rows of a manifest, or a folder's files, with their labels", NEEDS_OWNER, 1, 1,
		verb_import, import_options },
	{ "export", "[-o FILE]", "write the dataset with its accepted labels", NEEDS_OWNER, 0, 0, verb_export,
		export_options },
	{ "verify", "", "re-hash and cross-check everything that is stored", NEEDS_OWNER, 0, 0, verb_verify,
		verify_options },
	{ "rebuild-index", "", "make the index anew from the log (no daemon may run)", NEEDS_CONFIG, 0, 0,
		verb_rebuild_index, NULL },
	{ "doctor", "", "check what Inlet needs of this machine", NEEDS_OWNER, 0, 0, verb_doctor, NULL },
	{ "check-config", "", "check the configuration file", NEEDS_CONFIG, 0, 0, verb_check_config, NULL },
	{ "help", "[VERB]", "this help, or that of a verb", NEEDS_NOTHING, 0, 1, verb_help, NULL },
	{ "version", "", "the version of this program", NEEDS_NOTHING, 0, 0, verb_version, NULL },
};
#define VERBS (sizeof(verbs) / sizeof(*verbs))

const struct verb *verb_at(size_t i)
{
	return i < VERBS ? &verbs[i] : NULL;
}

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const char *verb_nearest(const char *name)
{
	const char *names[VERBS + 1] = { NULL };
	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	return text_nearest(name, names);
}
