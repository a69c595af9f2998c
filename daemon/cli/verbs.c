/* verbs.c - the one table of verbs. */
#include "daemon/cli/verbs.h"

#include "daemon/base/text.h"
#include "daemon/cli/rule.h"

#define END { NULL, 0, NULL, NULL, NULL }

static const struct verb_option items_options[] = {
	{ "state", 0, "STATE", "committed, parked, normalized, inferred, routed or quarantined", &rule_state },
	{ "status", 0, "STATUS", "with a label of ANNOTATION_SUCCESS, ANNOTATION_AWAITING_REVIEW, …", &rule_status },
	{ "concept", 0, "NAME", "with this label", NULL },
	{ "source", 0, "NAME", "that a source carries now", NULL },
	{ "after", 0, "ID", "only items with a larger id", &rule_after },
	{ "limit", 0, "N", "at most N of them (1 to 10000)", &rule_limit },
	{ "full", 0, NULL, "with history, facts and scores, as `inlet show`", NULL },
	END,
};
static const struct verb_option cat_options[] = {
	{ "thumbnail", 0, NULL, "the small picture", NULL },
	{ "canonical", 0, NULL, "the canonical form: upright sRGB, or UTF-8 text", NULL },
	END,
};
static const struct verb_option failures_options[] = {
	{ "after", 0, "ID", "only failures after this one", &rule_failure },
	{ "limit", 0, "N", "at most N of them (1 to 10000)", &rule_limit },
	{ "import", 0, "N", "only those of import N", &rule_import },
	{ "format", 0, "csv", "rows of a manifest that failed as a manifest of their own: mend it, then `inlet import FILE --into N`", &rule_failures_format },
	END,
};
static const struct verb_option retry_options[] = {
	{ "all", 0, NULL, "everything that failed", NULL },
	{ "no-wait", 0, NULL, "return at once, not when the work is done", NULL },
	END,
};
static const struct verb_option sync_options[] = {
	{ "accept-gone", 0, NULL, "believe it although very many objects have gone", NULL },
	{ "rebind", 0, NULL, "believe it although it is at another place now than before", NULL },
	{ "no-wait", 0, NULL, "return at once, not when the work is done", NULL },
	END,
};
static const struct verb_option relabel_options[] = {
	{ "no-wait", 0, NULL, "return at once, not when the work is done", NULL },
	END,
};
static const struct verb_option wait_options[] = {
	{ "timeout", 0, "SECONDS", "give up after this time (exit 1)", &rule_seconds },
	END,
};
static const struct verb_option import_options[] = {
	{ "name", 0, "NAME", "of the import, under which it is known when it comes again; for '-' it must be given", NULL },
	{ "into", 0, "N|NAME", "rows of this import that failed, mended; `inlet failures --import N --format csv` gives them", NULL },
	{ "format", 0, "FORMAT", "csv, jsonl, clarifai, urls, … (as a rule it is recognised); folder: every file as it is", &rule_import_format },
	{ "input", 0, "url|file_path|raw", "what the values of an input column are (else as they look)", &rule_input },
	{ "columns", 0, "ROLE=COLUMN,…", "which column says what, like url=image_url,label=class", NULL },
	{ "root", 0, "FOLDER", "that paths must stay beneath; they begin in the manifest's own folder, or else here. Its own folder is the default", NULL },
	{ "labels-from", 0, "directory|none", "of a folder: the folder that a file is in is its label; train, val and test are splits. "
		"Else as the last time", &rule_labels_from },
	{ "no-sidecars", 0, NULL, "of a folder: NAME.json beside NAME is a file like any other, not the labels of NAME", NULL },
	{ "chunk", 0, "N", "of a folder: files that become durable together (1 to 128); else `import: {batch: …}`, which is 32", &rule_chunk },
	{ "chunks", 0, NULL, "of a folder: a line for each of these chunks", NULL },
	{ "no-wait", 0, NULL, "return when the rows are in, not when their items are labelled", NULL },
	END,
};
static const struct verb_option export_options[] = {
	{ "format", 0, "FORMAT", "jsonl (as `inlet items --json`, the default), coco (pictures only), yolo (a tar of data.yaml and "
		"labels/, to be unpacked beside images/; with -o a folder with the pictures), or a list: labelstudio, cvat, clarifai, "
		"groundtruth, huggingface, vertex", &rule_export_format },
	{ "by", 0, "item|reference|row", "one entry an item, one for each file that carries it, or one for each row of a "
		"manifest that named it, else the item (default for lists)", &rule_by },
	{ "attribute", 0, "NAME", "groundtruth: of labels that came in no answer of its (default: label)", &rule_attribute },
	{ "review", 0, NULL, "also labels that wait for review; labelstudio says of all how they stand", NULL },
	{ "output", 'o', "FILE", "into a file, which appears only when it is whole; of yolo a new folder, unless it ends in .tar. "
		"Never into a watched folder", NULL },
	END,
};
static const struct verb_option verify_options[] = {
	{ "slice", 0, "I/N", "re-hash only the I-th of N shares of the bytes (1/30: a thirtieth)", &rule_slice },
	END,
};

static const struct verb verbs[] = {
	{ "status", "", "how things stand: sources, items, labels, work, store", NEEDS_OWNER, 0, 0, verb_status, NULL, NULL },
	{ "sources", "", "the sources and what they carry", NEEDS_OWNER, 0, 0, verb_sources, NULL, NULL },
	{ "items", "[filters]", "list the items of the dataset", NEEDS_OWNER, 0, 0, verb_items, items_options, NULL },
	{ "show", "ID", "all that is known of one item", NEEDS_OWNER, 1, 1, verb_show, NULL, &rule_item },
	{ "cat", "ID [> FILE]", "the bytes of one item", NEEDS_OWNER, 1, 1, verb_cat, cat_options, &rule_item },
	{ "accept", "ID [LABEL]", "accept a suggested label, or all that wait on the item", NEEDS_OWNER, 1, 2,
		verb_accept, NULL, &rule_item },
	{ "reject", "ID [LABEL]", "reject a suggested label, or all that wait on the item", NEEDS_OWNER, 1, 2,
		verb_reject, NULL, &rule_item },
	{ "label", "ID LABEL", "give an item a label of your own", NEEDS_OWNER, 2, 2, verb_label, NULL, &rule_item },
	{ "failures", "", "what could not be done, why, and what would help", NEEDS_OWNER, 0, 0, verb_failures,
		failures_options, NULL },
	{ "retry", "ID… | --all", "try failed work again now", NEEDS_OWNER, 0, WORDS_ANY, verb_retry, retry_options, &rule_failure },
	{ "sync", "[SOURCE]", "look at a source, or at all, and take in what is new", NEEDS_OWNER, 0, 1, verb_sync,
		sync_options, NULL },
	{ "wait", "", "return when nothing is left to do", NEEDS_OWNER, 0, 0, verb_wait, wait_options, NULL },
	{ "relabel", "", "run the current models over items that have not seen them", NEEDS_OWNER, 0, 0, verb_relabel,
		relabel_options, NULL },
	{ "pause", "[SOURCE]", "take in nothing new until `inlet resume`", NEEDS_OWNER, 0, 1, verb_pause, NULL, NULL },
	{ "resume", "[SOURCE]", "take in again", NEEDS_OWNER, 0, 1, verb_resume, NULL, NULL },
	{ "import", "FILE | FOLDER | -", "take in the rows of a manifest, or a folder's files, with their labels", NEEDS_OWNER, 1, 1,
		verb_import, import_options, NULL },
	{ "export", "[-o FILE]", "write the dataset with its accepted labels", NEEDS_OWNER, 0, 0, verb_export,
		export_options, NULL },
	{ "verify", "", "re-hash and cross-check everything that is stored", NEEDS_OWNER, 0, 0, verb_verify,
		verify_options, NULL },
	{ "rebuild-index", "", "make the index anew from the log (no daemon may run)", NEEDS_CONFIG, 0, 0,
		verb_rebuild_index, NULL, NULL },
	{ "doctor", "", "check what Inlet needs of this machine", NEEDS_OWNER, 0, 0, verb_doctor, NULL, NULL },
	{ "check-config", "", "check the configuration file", NEEDS_CONFIG, 0, 0, verb_check_config, NULL, NULL },
	{ "help", "[VERB]", "this help, or that of a verb", NEEDS_NOTHING, 0, 1, verb_help, NULL, NULL },
	{ "version", "", "the version of this program", NEEDS_NOTHING, 0, 0, verb_version, NULL, NULL },
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
