/* rule.h - what the value of an option, or a word behind a verb, must be. */
#ifndef INLET_CLI_RULE_H
#define INLET_CLI_RULE_H

#include "daemon/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* One of a list, or a number, or what good() takes. */
struct rule {
	const char *(*choice)(size_t i);   /* NULL behind the last */
	uint64_t min, max;                 /* of a number; max 0: it is none */
	bool (*good)(const char *value);
	const char *form;                  /* of numbers and good(): what it is, for people */
};

extern const struct rule rule_item, rule_after, rule_failure, rule_limit, rule_import, rule_chunk, rule_seconds, rule_slice;
extern const struct rule rule_state, rule_status, rule_by, rule_export_format, rule_attribute;
extern const struct rule rule_failures_format, rule_import_format, rule_input, rule_labels_from;

/* what: "option '--limit'", "ID". ERR_REJECT: what it takes, and what was perhaps meant. */
int rule_check(const struct rule *r, const char *what, const char *value, struct err *err);
/* "1/30": both > 0, the first not beyond the second. */
bool rule_slice_parse(const char *value, uint64_t *ret_slice, uint64_t *ret_slices);

#endif
