/* reader.c - strict reading of one JSON object. */
#include "daemon/model/reader.h"

#include "daemon/base/text.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define WHOLE_REAL_MAX 9007199254740992.0 /* 2^53: up to here a real is the whole number that it was read from */
#define NAME_BYTES_MAX 48 /* of any member we ask for, with "_base64" */

int reader_init(struct reader *r, struct slice line, struct err *err)
{
	*r = (struct reader){ .line = line };
	json_error_t why;
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	r->root = json_loadb(line.p ? line.p : "", line.len, flags, &why);
	if (!r->root && json_error_code(&why) == json_error_numeric_overflow) {
		r->root = json_loadb(line.p, line.len, flags | JSON_DECODE_INT_AS_REAL, &why);
		r->reals = true;
	}
	if (!r->root)
		return err_set(err, ERR_REJECT, 0, "not JSON at byte %d: %s", why.position, why.text);
	if (!json_is_object(r->root)) {
		reader_done(r);
		return err_set(err, ERR_REJECT, 0, "not a JSON object");
	}
	return 0;
}

void reader_done(struct reader *r)
{
	json_decref(r->root);
	buf_done(&r->bytes);
	*r = (struct reader){ 0 };
}

void reader_fail(struct reader *r, const char *name, const char *why)
{
	if (!r->failed)
		(void)err_set(&r->why, ERR_REJECT, 0, "member '%s' %s", name, why);
	r->failed = true;
}

/* The member's value, marked as asked for; NULL: absent, or something failed before. */
static const json_t *take(struct reader *r, const char *name)
{
	void *at = r->failed ? NULL : json_object_iter_at(r->root, name);
	if (!at)
		return NULL;
	assert(r->used_count < READER_MEMBERS_MAX);
	r->used[r->used_count++] = json_object_iter_key(at);
	return json_object_iter_value(at);
}

static const json_t *take_required(struct reader *r, const char *name)
{
	const json_t *value = take(r, name);
	if (!value)
		reader_fail(r, name, "is missing");
	return value;
}

static struct slice string_slice(const json_t *string)
{
	return (struct slice){ json_string_value(string), json_string_length(string) };
}

/* Room for n more kept bytes. All that is kept was shorter or equal in the line, so the line's length never overflows. */
static char *keep(struct reader *r, size_t n)
{
	if (!r->bytes.data)
		(void)buf_grow(&r->bytes, r->line.len);
	assert(r->bytes.cap - r->bytes.len > n);
	return r->bytes.data + r->bytes.len;
}

struct slice reader_unbase64(struct reader *r, struct slice text, bool *ret_ok)
{
	const char *at = keep(r, text.len);
	size_t start = r->bytes.len;
	*ret_ok = text_unbase64(&r->bytes, text) == 0;
	return *ret_ok ? (struct slice){ at, r->bytes.len - start } : (struct slice){ 0 };
}

static struct slice text_member(struct reader *r, const char *name, bool required)
{
	static const char suffix[] = "_base64";
	char name64[NAME_BYTES_MAX];
	assert(strlen(name) + sizeof(suffix) <= sizeof(name64));
	memcpy(stpcpy(name64, name), suffix, sizeof(suffix));
	const json_t *plain = take(r, name);
	const json_t *encoded = take(r, name64);
	if (plain && encoded)
		reader_fail(r, name, "is there twice, once as base64");
	else if (!plain && !encoded && required)
		reader_fail(r, name, "is missing");
	else if (plain && !json_is_string(plain))
		reader_fail(r, name, "is not a string");
	else if (encoded && !json_is_string(encoded))
		reader_fail(r, name64, "is not a string");
	if (r->failed || (!plain && !encoded))
		return (struct slice){ 0 };
	if (plain)
		return string_slice(plain);
	bool ok;
	struct slice bytes = reader_unbase64(r, string_slice(encoded), &ok);
	if (!ok)
		reader_fail(r, name64, "is not base64");
	return bytes;
}

struct slice reader_text(struct reader *r, const char *name)
{
	return text_member(r, name, true);
}

struct slice reader_text_or_empty(struct reader *r, const char *name)
{
	return text_member(r, name, false);
}

/* 0 and a failure for what is none. */
static json_int_t whole_value(struct reader *r, const char *name, const json_t *value)
{
	double d = json_real_value(value);
	bool whole = r->reals && json_is_real(value) && d == floor(d);
	if (whole && fabs(d) <= WHOLE_REAL_MAX)
		return (json_int_t)d;
	if (!json_is_integer(value))
		reader_fail(r, name, whole ? "is too big" : "is not a whole number");
	return json_integer_value(value);
}

static uint64_t u64_value(struct reader *r, const char *name, const json_t *value, uint64_t min, uint64_t max)
{
	json_int_t n = whole_value(r, name, value);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > max) {
		reader_fail(r, name, "is out of range");
		return 0;
	}
	return (uint64_t)n;
}

uint64_t reader_u64(struct reader *r, const char *name, uint64_t min, uint64_t max)
{
	const json_t *value = take_required(r, name);
	return value ? u64_value(r, name, value, min, max) : 0;
}

uint64_t reader_u64_or(struct reader *r, const char *name, uint64_t max, uint64_t fallback)
{
	const json_t *value = take(r, name);
	return value ? u64_value(r, name, value, 0, max) : fallback;
}

int64_t reader_i64(struct reader *r, const char *name)
{
	const json_t *value = take_required(r, name);
	return value ? whole_value(r, name, value) : 0;
}

bool reader_flag(struct reader *r, const char *name)
{
	const json_t *value = take(r, name);
	if (value && !json_is_boolean(value))
		reader_fail(r, name, "is neither true nor false");
	return json_is_true(value);
}

bool reader_is_confidence(const json_t *value)
{
	return json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) <= (double)FLT_MAX;
}

double reader_confidence_or(struct reader *r, const char *name, double fallback)
{
	const json_t *value = take(r, name);
	if (!value)
		return fallback;
	if (!reader_is_confidence(value)) {
		reader_fail(r, name, "is not a number from 0 up");
		return fallback;
	}
	return json_number_value(value);
}

double reader_real_or(struct reader *r, const char *name, double fallback)
{
	const json_t *value = take(r, name);
	if (value && !json_is_number(value))
		reader_fail(r, name, "is not a number");
	return value ? json_number_value(value) : fallback;
}

static void id_value(struct reader *r, const char *name, const json_t *value, struct content_id *ret)
{
	if (!json_is_string(value) || text_unhex(string_slice(value), ret->sha256, sizeof(ret->sha256)) < 0)
		reader_fail(r, name, "is not a SHA-256 of 64 hex digits");
}

void reader_id(struct reader *r, const char *name, struct content_id *ret)
{
	const json_t *value = take_required(r, name);
	if (value)
		id_value(r, name, value, ret);
}

void reader_id_or_none(struct reader *r, const char *name, struct content_id *ret)
{
	const json_t *value = take(r, name);
	if (value)
		id_value(r, name, value, ret);
}

const json_t *reader_list(struct reader *r, const char *name)
{
	const json_t *value = take_required(r, name);
	if (value && !json_is_array(value))
		reader_fail(r, name, "is not a list");
	return r->failed ? NULL : value;
}

/* Index of the closing quote of the string that opens at `at`. The line is known to be JSON. */
static size_t string_end(struct slice line, size_t at)
{
	for (at++; line.p[at] != '"'; at++)
		at += line.p[at] == '\\';
	return at;
}

static size_t skip_blanks(struct slice line, size_t at)
{
	while (line.p[at] == ' ' || line.p[at] == '\t' || line.p[at] == '\r' || line.p[at] == '\n')
		at++; /* ends before the line does: something always follows a name */
	return at;
}

/* Does the string from `open` to `close` name a member called name? Then *ret_value is where its value begins. */
static bool names_member(struct slice line, size_t open, size_t close, const char *name, size_t *ret_value)
{
	if (!slice_eq((struct slice){ line.p + open + 1, close - open - 1 }, slice_of(name)))
		return false;
	size_t colon = skip_blanks(line, close + 1);
	if (line.p[colon] != ':')
		return false; /* a value that reads like the name */
	*ret_value = skip_blanks(line, colon + 1);
	return true;
}

/* The text of a member of the top object that is an object or a list, as it stands in the line: numbers and escapes must survive to the
 * letter, and no JSON library promises that. The line is known to be JSON with such a member. */
static struct slice find_container(struct slice line, const char *name)
{
	size_t depth = 0;
	size_t start = SIZE_MAX;
	for (size_t i = 0; i < line.len; i++) {
		char c = line.p[i];
		if (c == '"') {
			size_t close = string_end(line, i);
			if (depth == 1 && start == SIZE_MAX)
				(void)names_member(line, i, close, name, &start);
			i = close;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
			if (depth == 1 && start != SIZE_MAX)
				return (struct slice){ line.p + start, i + 1 - start };
		}
	}
	return (struct slice){ 0 };
}

static struct slice raw_member(struct reader *r, const char *name, json_type type, const char *why)
{
	const json_t *value = take(r, name);
	if (!value)
		return (struct slice){ 0 };
	if (json_typeof(value) != type) {
		reader_fail(r, name, why);
		return (struct slice){ 0 };
	}
	struct slice text = find_container(r->line, name);
	if (text.len == 0) {
		reader_fail(r, name, "has its name written with escapes");
		return (struct slice){ 0 };
	}
	const char *at = keep(r, text.len);
	buf_add(&r->bytes, text.p, text.len);
	return (struct slice){ at, text.len };
}

struct slice reader_raw_object(struct reader *r, const char *name)
{
	return raw_member(r, name, JSON_OBJECT, "is not an object");
}

struct slice reader_raw_list(struct reader *r, const char *name)
{
	return raw_member(r, name, JSON_ARRAY, "is not a list");
}

/* The list is known to be JSON; it begins with '[' or, once moved on, with what follows an element. */
bool reader_raw_next(struct slice *list, struct slice *ret)
{
	size_t depth = 0, start = SIZE_MAX;
	for (size_t i = 1; i < list->len; i++) {
		char c = list->p[i];
		bool ends = depth == 0 && (c == ',' || c == ']');
		if (ends && start == SIZE_MAX)
			return false;
		if (ends) {
			*ret = (struct slice){ list->p + start, i - start };
			*list = (struct slice){ list->p + i, list->len - i };
			return true;
		}
		if (start == SIZE_MAX && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			start = i;
		if (c == '"')
			i = string_end(*list, i);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
	return false;
}

static bool is_used(const struct reader *r, const char *key)
{
	for (size_t i = 0; i < r->used_count; i++) {
		if (r->used[i] == key)
			return true;
	}
	return false;
}

int reader_finish(struct reader *r, struct err *err)
{
	if (!r->failed && r->used_count != json_object_size(r->root)) {
		void *at = json_object_iter(r->root);
		while (is_used(r, json_object_iter_key(at)))
			at = json_object_iter_next(r->root, at);
		struct buf key = { 0 };
		text_printable(&key, slice_of(json_object_iter_key(at)));
		reader_fail(r, key.data, "is not known: was it written by a newer Inlet?");
		buf_done(&key);
	}
	return r->failed ? err_set(err, r->why.class, 0, "%s", r->why.text) : 0;
}
