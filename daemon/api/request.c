/* request.c - reads path, query and body of a request. */
#include "daemon/api/request.h"

#include "daemon/base/text.h"

#include <jansson.h>

static bool path_number(const char **path, uint64_t *ret)
{
	size_t len = strspn(*path, "0123456789");
	uint64_t n;
	if (len == 0 || text_u64((struct slice){ *path, len }, &n) < 0 || n == 0)
		return false;
	*path += len;
	*ret = n;
	return true;
}

bool path_match(const char *pattern, const char *path, uint64_t *ret_id)
{
	uint64_t id = 0;
	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			if (!path_number(&path, &id))
				return false;
		} else if (*path++ != *pattern) {
			return false;
		}
	}
	if (*path)
		return false;
	*ret_id = id;
	return true;
}

int body_parse(struct slice text, struct json_t **ret, struct err *err)
{
	json_error_t why;
	json_t *body = text.len ? json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &why) : json_object();
	if (!body)
		return err_set(err, ERR_REJECT, 0, "the body is not JSON: line %d, column %d: %s", why.line, why.column,
			why.text);
	if (!json_is_object(body)) {
		json_decref(body);
		return err_set(
			err, ERR_REJECT, 0, "the body is not a JSON object; send one like {\"concept\":\"tabby\"}");
	}
	*ret = body;
	return 0;
}

void body_free(struct json_t *body)
{
	json_decref(body);
}

static int check_name(const char *what, const char *name, const char *const *known, struct err *err)
{
	for (size_t i = 0; known[i]; i++)
		if (strcmp(known[i], name) == 0)
			return 0;
	const char *near = text_nearest(name, known);
	struct buf shown = { 0 };
	text_printable(&shown, (struct slice){ name, strnlen(name, 64) });
	(void)err_set(err, ERR_REJECT, 0, "unknown %s '%s'%s%s%s", what, shown.data ? shown.data : "",
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	buf_done(&shown);
	return -1;
}

int request_check(const struct request *r, const char *const *known, struct err *err)
{
	for (size_t i = 0; i < r->query_count; i++) {
		if (check_name("parameter", r->query[i].name, known, err) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->query[k].name, r->query[i].name) == 0)
				return err_set(err, ERR_REJECT, 0, "parameter '%s' is given twice", r->query[i].name);
	}
	const char *name;
	json_t *value;
	json_object_foreach(r->body, name, value)
		if (check_name("member", name, known, err) < 0)
			return -1;
	return 0;
}

const char *query_get(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->query_count; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value ? r->query[i].value : "";
	return NULL;
}

int query_u64(const struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	const char *value = query_get(r, name);
	uint64_t n;
	if (!value)
		return 0;
	if (text_u64(slice_of(value), &n) < 0 || n < min || n > max)
		return err_set(err, ERR_REJECT, 0, "parameter '%s' takes a number from %llu to %llu", name,
			(unsigned long long)min, (unsigned long long)max);
	*ret = n;
	return 0;
}

int query_bool(const struct request *r, const char *name, bool *ret, struct err *err)
{
	static const char *const choices[] = { "false", "true", "0", "1", NULL };
	int which = *ret;
	if (query_choice(r, name, choices, &which, err) < 0)
		return -1;
	*ret = which % 2;
	return 0;
}

int query_choice(const struct request *r, const char *name, const char *const *choices, int *ret, struct err *err)
{
	const char *value = query_get(r, name);
	if (!value)
		return 0;
	struct buf list = { 0 };
	for (int i = 0; choices[i]; i++) {
		if (strcmp(choices[i], value) == 0) {
			buf_done(&list);
			*ret = i;
			return 0;
		}
		buf_printf(&list, "%s%s", i ? ", " : "", choices[i]);
	}
	(void)err_set(err, ERR_REJECT, 0, "parameter '%s' takes one of %s", name, list.data);
	buf_done(&list);
	return -1;
}

int body_str(const struct request *r, const char *name, struct slice *ret, struct err *err)
{
	json_t *value = json_object_get(r->body, name);
	if (!value)
		return 0;
	if (!json_is_string(value))
		return err_set(err, ERR_REJECT, 0, "member '%s' takes a string", name);
	*ret = (struct slice){ json_string_value(value), json_string_length(value) };
	return 0;
}

int body_bool(const struct request *r, const char *name, bool *ret, struct err *err)
{
	json_t *value = json_object_get(r->body, name);
	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return err_set(err, ERR_REJECT, 0, "member '%s' takes true or false", name);
	*ret = json_is_true(value);
	return 0;
}

int body_u64(const struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	json_t *value = json_object_get(r->body, name);
	if (!value)
		return 0;
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || (uint64_t)n < min || (uint64_t)n > max)
		return err_set(err, ERR_REJECT, 0, "member '%s' takes a number from %llu to %llu", name,
			(unsigned long long)min, (unsigned long long)max);
	*ret = (uint64_t)n;
	return 0;
}

bool etag_match(const char *header, const char *etag)
{
	size_t len = strlen(etag);
	while (header && *header) {
		header += strspn(header, " \t,");
		if (*header == '*')
			return true;
		if (strncmp(header, "W/", 2) == 0)
			header += 2;
		if (strncmp(header, etag, len) == 0)
			return true;
		header += strcspn(header, ",");
	}
	return false;
}
