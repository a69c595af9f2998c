/* rule.c - the rules, and how people are told of them. */
#include "daemon/cli/rule.h"

#include "daemon/base/text.h"
#include "daemon/export/export.h"
#include "daemon/manifest/manifest.h"
#include "daemon/model/item.h"
#include "daemon/store/store.h"

#define CHOICES_MAX 32
#define CHUNK_FILES_MAX 128
#define LIMIT_MAX 10000
#define TIMEOUT_MAX_S (7 * 24 * 3600)

/* ---- lists ---- */

static const char *state_at(size_t i)
{
	return i + 1 < ITEM_STATES ? item_state_name((enum item_state)(i + 1)) : NULL;
}

static const char *status_at(size_t i)
{
	return i + 1 < STATUSES ? status_name((enum annotation_status)(i + 1)) : NULL;
}

static const char *export_format_at(size_t i)
{
	return export_format_names[i];
}

static const char *by_at(size_t i)
{
	return export_by_names[i];
}

static const char *failures_format_at(size_t i)
{
	static const char *const names[] = { "csv", "json", NULL };
	return names[i];
}

/* Those of manifests, and folder. */
static const char *import_format_at(size_t i)
{
	const char *const *names = manifest_format_names();
	size_t n = 0;
	while (n < i && names[n])
		n++;
	return names[n] ? names[n] : n == i ? "folder" : NULL;
}

static const char *input_at(size_t i)
{
	static const char *const names[] = { "url", "file_path", "raw", "auto", NULL };
	return names[i];
}

static const char *labels_from_at(size_t i)
{
	static const char *const names[] = { "directory", "none", NULL };
	return names[i];
}

/* ---- forms ---- */

static bool is_failure(const char *value)
{
	enum failure_subject subject;
	uint64_t number;
	return failure_id_parse(slice_of(value), &subject, &number) == 0;
}

bool rule_slice_parse(const char *value, uint64_t *ret_slice, uint64_t *ret_slices)
{
	const char *bar = strchr(value, '/');
	return bar && text_u64((struct slice){ value, (size_t)(bar - value) }, ret_slice) == 0 &&
		text_u64(slice_of(bar + 1), ret_slices) == 0 && *ret_slice >= 1 && *ret_slice <= *ret_slices && *ret_slices <= VERIFY_SLICES_MAX;
}

static bool is_slice(const char *value)
{
	uint64_t slice, slices;
	return rule_slice_parse(value, &slice, &slices);
}

const struct rule rule_item = { .min = 1, .max = UINT64_MAX, .form = "the number of an item, as `inlet items` lists them" };
const struct rule rule_after = { .max = UINT64_MAX, .form = "the number of an item" };
const struct rule rule_import = { .min = 1, .max = UINT64_MAX, .form = "the number of an import, as `inlet import` says it" };
const struct rule rule_limit = { .min = 1, .max = LIMIT_MAX, .form = "a number" };
const struct rule rule_chunk = { .min = 1, .max = CHUNK_FILES_MAX, .form = "a number of files" };
const struct rule rule_seconds = { .min = 1, .max = TIMEOUT_MAX_S, .form = "a number of seconds" };
const struct rule rule_failure = { .good = is_failure, .form = "the id of a failure, like o12, i7 or r3.17; `inlet failures` lists them" };
const struct rule rule_slice = { .good = is_slice, .form = "I/N with I from 1 to N, like 1/30" };
const struct rule rule_attribute = { .good = export_attribute_good, .form = "a name of letters, digits and '-', up to 100" };
const struct rule rule_state = { .choice = state_at };
const struct rule rule_status = { .choice = status_at };
const struct rule rule_by = { .choice = by_at };
const struct rule rule_export_format = { .choice = export_format_at };
const struct rule rule_failures_format = { .choice = failures_format_at };
const struct rule rule_import_format = { .choice = import_format_at };
const struct rule rule_input = { .choice = input_at };
const struct rule rule_labels_from = { .choice = labels_from_at };

/* ---- how they are told ---- */

static void describe(const struct rule *r, struct buf *to)
{
	if (r->choice) {
		buf_str(to, "one of ");
		for (size_t i = 0; r->choice(i); i++)
			buf_printf(to, "%s%s", i ? ", " : "", r->choice(i));
		return;
	}
	buf_str(to, r->form);
	if (r->max && r->max <= UINT32_MAX)
		buf_printf(to, " from %llu to %llu", (unsigned long long)r->min, (unsigned long long)r->max);
}

static bool takes(const struct rule *r, const char *value)
{
	uint64_t n;
	if (r->max)
		return text_u64(slice_of(value), &n) == 0 && n >= r->min && n <= r->max;
	if (!r->choice)
		return r->good(value);
	size_t i = 0;
	while (r->choice(i) && strcmp(r->choice(i), value) != 0)
		i++;
	return r->choice(i) != NULL;
}

static const char *nearest(const struct rule *r, const char *value)
{
	const char *names[CHOICES_MAX + 1] = { NULL };
	for (size_t i = 0; r->choice && i < CHOICES_MAX && r->choice(i); i++)
		names[i] = r->choice(i);
	return text_nearest(value, names);
}

int rule_check(const struct rule *r, const char *what, const char *value, struct err *err)
{
	if (takes(r, value))
		return 0;
	struct buf form = { 0 };
	const char *near = nearest(r, value);
	describe(r, &form);
	(void)err_set(err, ERR_REJECT, 0, "%s takes %s, not '%.40s'%s%s%s", what, form.data, value, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	buf_done(&form);
	return -1;
}
