/* args.c - parses the command line: `inlet [global options] VERB [options and words in any order]`. */
#include "daemon/cli/args.h"

#include "daemon/base/cleanup.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"
#include "daemon/cli/rule.h"

#include <assert.h>
#include <stdio.h>

static const struct verb_option global_options[] = {
	{ "config", 'c', "FILE", "the configuration", NULL },
	{ "json", 0, NULL, "for scripts: one JSON object, or JSON lines", NULL },
	{ "help", 'h', NULL, "what a verb does and takes", NULL },
	{ "version", 0, NULL, "the version of this program", NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
enum global { GLOBAL_CONFIG, GLOBAL_JSON, GLOBAL_HELP, GLOBAL_VERSION };

struct parse {
	int argc, at;
	char *const *argv;
	struct args *args;
};

static const struct verb_option *find(const struct verb_option *options, const char *name, size_t len)
{
	for (; options && options->name; options++)
		if ((len == 1 && options->letter == *name) ||
			(strlen(options->name) == len && memcmp(options->name, name, len) == 0))
			return options;
	return NULL;
}

static const char *suggest(const struct verb *verb, const char *name)
{
	const char *names[VERB_OPTIONS_MAX + sizeof(global_options) / sizeof(*global_options)] = { NULL };
	size_t n = 0;
	for (const struct verb_option *o = verb ? verb->options : NULL; o && o->name; o++)
		names[n++] = o->name;
	for (const struct verb_option *o = global_options; o->name; o++)
		names[n++] = o->name;
	return text_nearest(name, names);
}

static int unknown_option(const struct args *a, const char *word, const char *name, struct err *err)
{
	CLEANUP(freep) char *bare = mem_strndup(name, strcspn(name, "="));
	const char *near = suggest(a->verb, bare);
	return err_set(err, ERR_REJECT, 0, "unknown option '%.100s'%s%s%s%s%s%s; see `inlet help%s%s`", word,
		a->verb ? " of 'inlet " : "", a->verb ? a->verb->name : "", a->verb ? "'" : "",
		near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "", a->verb ? " " : "",
		a->verb ? a->verb->name : "");
}

static void set_global(struct args *a, size_t which, const char *value)
{
	switch ((enum global)which) {
	case GLOBAL_CONFIG: a->config = value; break;
	case GLOBAL_JSON: a->json = true; break;
	case GLOBAL_HELP: a->help = true; break;
	case GLOBAL_VERSION: a->version = true; break;
	}
}

/* word is "--name", "--name=value" or "-x". */
static int take_option(struct parse *p, const char *word, struct err *err)
{
	struct args *a = p->args;
	const char *name = word + 1 + (word[1] == '-');
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct verb_option *own = a->verb ? find(a->verb->options, name, len) : NULL;
	const struct verb_option *o = own ? own : find(global_options, name, len);
	if (!o || (word[1] != '-' && len != 1) || (word[1] == '-' && len == 1))
		return unknown_option(a, word, name, err);
	if (o->value && !value) {
		if (p->at + 1 >= p->argc)
			return err_set(err, ERR_REJECT, 0, "option '--%s' wants %s", o->name, o->value);
		value = p->argv[++p->at];
	}
	if (!o->value && value)
		return err_set(err, ERR_REJECT, 0, "option '--%s' takes no value", o->name);
	if (own)
		a->values[own - a->verb->options] = value ? value : "";
	else
		set_global(a, (size_t)(o - global_options), value);
	return 0;
}

static int take_verb(struct args *a, const char *word, struct err *err)
{
	a->verb = verb_find(word);
	if (a->verb)
		return 0;
	const char *near = verb_nearest(word);
	return err_set(err, ERR_REJECT, 0, "unknown verb '%.100s'%s%s%s; `inlet help` lists them", word,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int check_rule(const struct args *a, const struct rule *r, const char *what, const char *value, struct err *err)
{
	if (!r && !value[0]) /* a shell's variable that was never set must not mean "all of them" */
		return err_set(err, ERR_REJECT, 0, "%s is empty; write what is meant, or leave it out", what);
	if (!r || rule_check(r, what, value, err) == 0)
		return 0;
	const size_t len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, "; see `inlet %s --help`", a->verb->name);
	return -1;
}

static int check_words(const struct args *a, struct err *err)
{
	const struct verb *v = a->verb;
	if (a->word_count < v->words_min || a->word_count > v->words_max)
		return err_set(err, ERR_REJECT, 0, "usage: inlet %s %s; see `inlet help %s`", v->name, v->usage, v->name);
	for (size_t i = 0; i < a->word_count; i++) {
		const struct rule *r = i == 0 || v->words_max == WORDS_ANY ? v->rule : NULL;
		if (check_rule(a, r, r ? "ID" : "a word", a->words[i], err) < 0)
			return -1;
	}
	return 0;
}

static int check_values(const struct args *a, struct err *err)
{
	for (size_t i = 0; a->verb->options && a->verb->options[i].name; i++) {
		const struct verb_option *o = &a->verb->options[i];
		CLEANUP(freep) char *what = mem_printf("option '--%s'", o->name);
		if (o->value && a->values[i] && check_rule(a, o->rule, what, a->values[i], err) < 0)
			return -1;
	}
	return 0;
}

int args_parse(int argc, char *const *argv, struct args *ret, struct err *err)
{
	*ret = (struct args){ .words = mem_zero((size_t)argc + 1, sizeof(*ret->words)) };
	struct parse p = { .argc = argc, .argv = argv, .args = ret };
	bool options = true;
	for (p.at = 1; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		int r = 0;
		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && word[0] == '-' && word[1])
			r = take_option(&p, word, err);
		else if (!ret->verb)
			r = take_verb(ret, word, err);
		else
			ret->words[ret->word_count++] = word;
		if (r < 0)
			return -1;
	}
	if (!ret->verb || ret->help || ret->version)
		return 0;
	return check_words(ret, err) < 0 ? -1 : check_values(ret, err);
}

void args_done(struct args *a)
{
	free(a->words);
	a->words = NULL;
}

const char *args_option(const struct args *a, const char *name)
{
	const struct verb_option *o = find(a->verb->options, name, strlen(name));
	assert(o);
	return a->values[o - a->verb->options];
}
