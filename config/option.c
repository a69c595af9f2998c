/* option.c - reads a YAML map into a struct by a table of options. */
#include "config/option.h"

#include "config/path.h"
#include "daemon/base/buf.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit byte_units[] = {
	{ "", 1 }, { "B", 1 },
	{ "KiB", 1ULL << 10 }, { "MiB", 1ULL << 20 }, { "GiB", 1ULL << 30 }, { "TiB", 1ULL << 40 },
	{ "kB", 1000 }, { "KB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "TB", 1000000000000 },
	{ NULL, 0 },
};
static const struct unit time_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};

static const struct {
	const char *name;  /* in the help */
	const char *wants; /* in messages: "needs ..." */
} types[] = {
	[OPTION_BOOL] = { "on|off", "on or off" },
	[OPTION_U32] = { "number", "a whole number" },
	[OPTION_U64] = { "number", "a whole number" },
	[OPTION_FLOAT] = { "number", "a number" },
	[OPTION_BYTES] = { "bytes", "a size such as 64MiB, 10GB or 4096" },
	[OPTION_DURATION] = { "time", "a time with its unit, such as 500ms, 2s, 5m, 1h or 7d" },
	[OPTION_STRING] = { "text", "text" },
	[OPTION_PATH] = { "path", "a path" },
	[OPTION_ENUM] = { "choice", "one of the choices" },
	[OPTION_STRINGS] = { "list", "a list of texts, such as [\"*.bak\", \"*.tmp\"]" },
	[OPTION_NODE] = { "section", "a section" },
};

int option_err(struct err *err, const struct option_place *at, const struct yaml_node *n, const char *key,
	const char *fmt, ...)
{
	CLEANUP(buf_done) struct buf where = { 0 };
	buf_printf(&where, "%s:", at->file);
	if (n)
		buf_printf(&where, "%zu:%zu:", n->line, n->column);
	bool prefix = at->prefix && at->prefix[0];
	if (prefix || key)
		buf_printf(&where, " %s%s%s:", prefix ? at->prefix : "", prefix && key ? "." : "", key ? key : "");
	CLEANUP(freep) char *why = NULL;
	va_list ap;
	va_start(ap, fmt);
	int len = vasprintf(&why, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_REJECT, 0, "%s %s", where.data, len < 0 ? "" : why);
}

/* Digits, perhaps a decimal fraction, then a unit: "1.5GiB". False: not that, or above UINT64_MAX. A fraction that does
 * not come out whole is cut ("0.3kB" is 300, "0.0001kB" is 0). */
static bool parse_amount(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *p = text;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
			__builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return false;
	bool has_fraction = *p == '.';
	if (has_fraction)
		for (p++; *p >= '0' && *p <= '9' && scale < 1000000; p++, scale *= 10)
			fraction = fraction * 10 + (uint64_t)(*p - '0');
	p += strspn(p, " ");
	while (units->name && strcmp(units->name, p) != 0)
		units++;
	if (!units->name) {
		*ret = 0;
		return *p == '\0' && whole == 0 && !has_fraction; /* "0" needs no unit */
	}
	if (has_fraction && units->factor == 1)
		return false;
	uint64_t part = units->factor / scale * fraction + units->factor % scale * fraction / scale;
	return !__builtin_mul_overflow(whole, units->factor, &whole) && !__builtin_add_overflow(whole, part, ret);
}

static bool parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "off", "on", "false", "true", "no", "yes" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2 != 0;
			return true;
		}
	}
	return false;
}

static bool parse_float(const char *text, float *ret)
{
	char *end;
	if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
		return false;
	*ret = strtof(text, &end);
	return *end == '\0' && isfinite(*ret);
}

static const struct unit *units_of(enum option_type type)
{
	return type == OPTION_BYTES ? byte_units : type == OPTION_DURATION ? time_units : no_units;
}

static bool in_range(const struct option *o, double n)
{
	return (o->min == 0 && o->max == 0) || (n >= o->min && n <= o->max);
}

/* min and max in the option's own unit: "1..128", "16MiB..", "0..1". */
static void print_limit(struct buf *to, enum option_type type, double n)
{
	const struct unit *units = units_of(type);
	uint64_t whole = n > 0 ? (uint64_t)n : 0;
	const struct unit *best = NULL;
	for (const struct unit *u = units; u->name; u++)
		if (whole != 0 && whole % u->factor == 0 && (!best || u->factor > best->factor))
			best = u;
	if (best && (double)whole == n)
		buf_printf(to, "%llu%s", (unsigned long long)(whole / best->factor), best->name);
	else
		buf_printf(to, "%g", n);
}

static void print_range(struct buf *to, const struct option *o)
{
	print_limit(to, o->type, o->min);
	buf_str(to, "..");
	if (isfinite(o->max))
		print_limit(to, o->type, o->max);
}

static int refuse_range(const struct option *o, const struct yaml_node *n, const struct option_place *at,
	struct err *err)
{
	CLEANUP(buf_done) struct buf range = { 0 };
	print_range(&range, o);
	return option_err(err, at, n, o->name, "%s is out of range; allowed: %s", n->text, range.data);
}

static int read_amount(const struct option *o, const struct yaml_node *n, const struct option_place *at, void *field,
	struct err *err)
{
	const struct unit *units = units_of(o->type);
	uint64_t amount;
	if (!parse_amount(n->text, units, &amount))
		return option_err(err, at, n, o->name, "'%s': needs %s", n->text, types[o->type].wants);
	if (!in_range(o, (double)amount) || (o->type == OPTION_U32 && amount > UINT32_MAX))
		return refuse_range(o, n, at, err);
	if (o->type == OPTION_U32)
		*(uint32_t *)field = (uint32_t)amount;
	else
		*(uint64_t *)field = amount;
	return 0;
}

static int read_choice(const struct option *o, const struct yaml_node *n, const struct option_place *at, int *field,
	struct err *err)
{
	CLEANUP(buf_done) struct buf all = { 0 };
	for (int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], n->text) == 0) {
			*field = i;
			return 0;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", o->choices[i]);
	}
	return option_err(err, at, n, o->name, "'%s': needs one of %s", n->text, all.data);
}

static int read_strings(const struct option *o, const struct yaml_node *n, const struct option_place *at, char ***field,
	struct err *err)
{
	bool empty = n->kind == YAML_SCALAR && n->text[0] == '\0';
	if (!empty && n->kind != YAML_LIST)
		return option_err(err, at, n, o->name, "needs %s", types[o->type].wants);
	*field = mem_zero(n->count + 1, sizeof(char *));
	for (size_t i = 0; i < n->count; i++) {
		if (n->values[i]->kind != YAML_SCALAR)
			return option_err(err, at, n->values[i], o->name, "needs %s", types[o->type].wants);
		(*field)[i] = mem_strdup(n->values[i]->text);
	}
	return 0;
}

static int read_value(const struct option *o, const struct yaml_node *n, const struct option_place *at, void *into,
	struct err *err)
{
	void *field = (char *)into + o->offset;
	if (o->type == OPTION_NODE) {
		*(const struct yaml_node **)field = n;
		return 0;
	}
	if (o->type == OPTION_STRINGS)
		return read_strings(o, n, at, field, err);
	if (n->kind != YAML_SCALAR)
		return option_err(err, at, n, o->name, "needs %s", types[o->type].wants);
	switch (o->type) {
	case OPTION_BOOL:
		if (parse_bool(n->text, field))
			return 0;
		break;
	case OPTION_FLOAT:
		if (parse_float(n->text, field))
			return in_range(o, (double)*(float *)field) ? 0 : refuse_range(o, n, at, err);
		break;
	case OPTION_U32:
	case OPTION_U64:
	case OPTION_BYTES:
	case OPTION_DURATION:
		return read_amount(o, n, at, field, err);
	case OPTION_ENUM:
		return read_choice(o, n, at, field, err);
	case OPTION_STRING:
		*(char **)field = n->text[0] ? mem_strdup(n->text) : NULL;
		return 0;
	case OPTION_PATH:
		*(char **)field = n->text[0] ? path_join(at->dir, n->text) : NULL;
		return 0;
	case OPTION_STRINGS:
	case OPTION_NODE:
		break; /* done above */
	}
	return option_err(err, at, n, o->name, "'%s': needs %s", n->text, types[o->type].wants);
}

/* Defaults go through the same parser as what people write. */
static int read_default(const struct option *o, const struct yaml_node *map, const struct option_place *at, void *into,
	struct err *err)
{
	if (!o->fallback)
		return option_err(err, at, map, o->name, "is missing; it has no default (%s)", o->help);
	void *field = (char *)into + o->offset;
	if (o->type == OPTION_NODE || (o->fallback[0] == '\0' && o->type != OPTION_FLOAT && o->type != OPTION_STRINGS))
		return 0;
	if (o->fallback[0] == '\0' && o->type == OPTION_FLOAT) {
		*(float *)field = NAN;
		return 0;
	}
	CLEANUP(freep) char *text = mem_strdup(o->fallback);
	struct yaml_node n = { .kind = YAML_SCALAR, .text = text };
	return read_value(o, &n, at, into, err);
}

static const struct option *find(const struct option *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static int refuse_key(const struct option *table, const struct yaml_node *key, const struct option_place *at,
	struct err *err)
{
	size_t n = 0;
	while (table[n].name)
		n++;
	CLEANUP(freep) const char **names = mem_zero(n + 1, sizeof(*names));
	CLEANUP(buf_done) struct buf all = { 0 };
	for (size_t i = 0; i < n; i++) {
		names[i] = table[i].name;
		buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	const char *near = text_nearest(key->text, names);
	if (near)
		return option_err(err, at, key, key->text, "unknown key; did you mean '%s'?", near);
	return option_err(err, at, key, key->text, "unknown key; known are: %s", all.data);
}

int option_read(const struct option *table, const struct yaml_node *map, const struct option_place *at, void *into,
	struct err *err)
{
	if (map && map->kind == YAML_SCALAR && map->text[0] == '\0')
		map = NULL; /* "limits:" with nothing behind it */
	if (map && map->kind != YAML_MAP)
		return option_err(err, at, map, NULL, "needs keys and values, such as {%s: ...}", table->name);
	for (size_t i = 0; map && i < map->count; i++)
		if (!find(table, map->keys[i]->text))
			return refuse_key(table, map->keys[i], at, err);
	for (const struct option *o = table; o->name; o++) {
		const struct yaml_node *n = yaml_get(map, o->name);
		if ((n ? read_value(o, n, at, into, err) : read_default(o, map, at, into, err)) < 0)
			return -1;
	}
	return 0;
}

void option_free(const struct option *table, void *from)
{
	for (const struct option *o = table; o->name; o++) {
		void *field = (char *)from + o->offset;
		if (o->type == OPTION_STRINGS)
			for (char **s = *(char ***)field; s && *s; s++)
				free(*s);
		if (o->type == OPTION_STRING || o->type == OPTION_PATH || o->type == OPTION_STRINGS) {
			free(*(void **)field);
			*(void **)field = NULL;
		}
	}
}

void option_help(const struct option *table, const char *prefix, FILE *to)
{
	for (const struct option *o = table; o->name; o++) {
		CLEANUP(buf_done) struct buf kind = { 0 };
		buf_str(&kind, types[o->type].name);
		if (o->type == OPTION_ENUM) {
			kind.len = 0;
			for (int i = 0; o->choices[i]; i++)
				buf_printf(&kind, "%s%s", i ? "|" : "", o->choices[i]);
		} else if (o->min != 0 || o->max != 0) {
			buf_char(&kind, ' ');
			print_range(&kind, o);
		}
		CLEANUP(freep) char *name = mem_printf("%s%s%s", prefix, prefix[0] ? "." : "", o->name);
		(void)fprintf(to, "  %-26s %-24s ", name, kind.data);
		if (!o->fallback)
			(void)fprintf(to, "required. ");
		else if (o->fallback[0])
			(void)fprintf(to, "[%s] ", o->fallback);
		(void)fprintf(to, "%s\n", o->help);
	}
}
