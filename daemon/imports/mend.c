/* mend.c - passes over rows that failed (import.h): what they may begin on, and what ends with them. */
#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"
#include "daemon/imports/import.h"
#include "daemon/imports/pass.h"
#include "daemon/imports/list.h"
#include "daemon/manifest/manifest.h"

#include <inttypes.h>

#define SLICE_FAILURES 500 /* looked at in one snapshot */

/* --- begin --- */

static bool is_format(const struct import *i, enum manifest_format f)
{
	return slice_eq(i->format, slice_of(manifest_format_name(f)));
}

/* Do its rows stand alone (manifest_header())? Those of a video of CVAT, which has no header, do not. */
static bool takes_rows(const struct import *i)
{
	return !is_format(i, MANIFEST_COCO) && !is_format(i, MANIFEST_YOLO) && !slice_eq(i->format, SLICE_LIT("folder")) &&
		!(is_format(i, MANIFEST_CVAT) && i->header.len == 0);
}

/* By number; a name that is one counts where there is no import of that number. */
static int find(struct view *v, struct slice which, struct import *ret, struct err *err)
{
	uint64_t number;
	int found = text_u64(which, &number) == 0 && number ? view_import(v, number, ret, err) : 0;
	if (found == 0)
		found = view_import_of(v, which, ret, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return err_set(err, ERR_REJECT, 0, "there is no import '%.*s'; `inlet import FILE` says the number of each, `inlet sources` their "
		"names", (int)which.len, which.p);
}

static int is_being_read(const struct import *i, struct err *err)
{
	return err_set(err, ERR_REJECT, 0, "import %" PRIu64 " is being read, or was broken off: its failed rows can be mended when `inlet "
		"import %.*s` has ended", i->id, (int)i->source.len, i->source.p);
}

int import_mendable(const struct config *c, const struct import *i, struct err *err)
{
	const struct source_config *owner = import_list_owner(c, i->source);
	if (owner)
		return err_set(err, ERR_REJECT, 0, "import %" PRIu64 " is a list of the source '%s', which reads it itself: mend it there",
			i->id, owner->name);
	if (!takes_rows(i))
		return err_set(err, ERR_REJECT, 0, "import %" PRIu64 " is of the format '%.*s', whose rows do not stand alone: mend '%.*s' itself "
			"and import it again", i->id, (int)i->format.len, i->format.p, (int)i->source.len, i->source.p);
	return i->complete ? 0 : is_being_read(i, err);
}

/* The highest number of a failure of the import; 0: it has none. */
static int last_failure(struct view *v, uint64_t import, uint64_t *ret, struct err *err)
{
	struct failure f = { .number = row_number(import, 0) };
	int more;
	*ret = 0;
	while ((more = view_failure_next(v, SUBJECT_ROW, f.number, &f, err)) > 0 && row_import(f.number) == import)
		*ret = row_line(f.number);
	return more < 0 ? -1 : 0;
}

int import_mend(struct imports *imports, struct slice which, struct json *j, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	struct import i;
	uint64_t last;
	if (view_open(imports->store, &v, err) < 0 || find(v, which, &i, err) < 0 || import_mendable(imports->config, &i, err) < 0 ||
		last_failure(v, i.id, &last, err) < 0)
		return -1;
	struct import_pass *pass = import_pass_new(i.id, i.source);
	pass->last_row = view_last_row(v);
	pass->users = 1;
	pass->mending = true;
	pass->places.last = last;
	uint64_t id = import_pass_add(imports, pass);
	if (id == 0) {
		import_pass_free(pass);
		return is_being_read(&i, err);
	}
	json_u64(j, "import", i.id);
	json_u64(j, "pass", id);
	json_bytes(j, "name", i.source);
	json_bytes(j, "file", i.file);
	json_str(j, "format", i.format);
	json_u64(j, "last", last > i.rows ? last : i.rows);
	import_pass_put(imports, pass);
	return 0;
}

/* --- end: objects that could not be fetched --- */

/* The only rows of an object that never came, all of them told by the pass, and none of this object any more: *ret_n of them,
 * else 0. */
static int replaced_rows(struct view *v, struct import_pass *pass, const struct failure *f, const struct import_row **ret,
	size_t *ret_n, struct err *err)
{
	struct slice source, key;
	struct ledger_row object;
	*ret_n = 0;
	if (f->import != pass->import)
		return 0;
	int found = view_object_by_number(v, f->number, &source, &key, &object, err);
	if (found <= 0 || object.item != 0)
		return found < 0 ? -1 : 0;
	if (view_rows(v, f->number, ret, ret_n, err) < 0)
		return -1;
	for (size_t i = 0; i < *ret_n; i++)
		if (import_saw(pass, (*ret)[i].row) || !import_told(pass, (*ret)[i].line))
			*ret_n = 0;
	return 0;
}

/* A run of failures after *after. 1: there are more. */
static int objects_some(struct imports *imports, struct import_pass *pass, uint64_t *after, uint64_t *gone, struct err *err)
{
	CLEANUP(view_closep) struct view *v = NULL;
	const struct import_row *rows;
	struct failure f;
	size_t n;
	struct change *c = change_new();
	int more = view_open(imports->store, &v, err) < 0 ? -1 : 1;
	for (int k = 0; more > 0 && k < SLICE_FAILURES; k++) {
		more = view_failure_next(v, SUBJECT_OBJECT, *after, &f, err);
		if (more > 0 && f.subject != SUBJECT_OBJECT)
			more = 0;
		if (more > 0 && replaced_rows(v, pass, &f, &rows, &n, err) < 0)
			more = -1;
		if (more <= 0)
			break;
		*after = f.number;
		for (size_t i = 0; i < n; i++)
			change_add(c, RECORD_ROW_GONE)->row_gone = (struct record_row_gone){ f.number, rows[i].row };
		if (n > 0)
			change_add(c, RECORD_GONE)->gone = (struct record_gone){ .source = slice_of(pass->name), .key = change_copy(c, f.key),
				.layout = LAYOUT_FLAT };
		*gone += n > 0;
	}
	if (more < 0 || change_records(c) == 0) {
		change_free(c);
		return more;
	}
	return committer_wait(imports->store, c, err) < 0 ? -1 : more;
}

int mend_objects(struct imports *imports, struct import_pass *pass, uint64_t *ret_gone, struct err *err)
{
	uint64_t after = 0;
	int more;
	*ret_gone = 0;
	do
		more = objects_some(imports, pass, &after, ret_gone, err);
	while (more > 0);
	return more;
}
