/* test_export.c - what goes into an export, of items, references and labels; how an export ends and fails. */
#include "daemon/base/cleanup.h"
#include "tests/unit/export/fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int to_buf(void *arg, struct slice text, struct err *err)
{
	(void)err;
	buf_add(arg, text.p, text.len);
	return 0;
}

static int refuse(void *arg, struct slice text, struct err *err)
{
	(void)arg;
	(void)text;
	return err_set(err, ERR_RETRY, 0, "the reader has gone");
}

static void end(struct exporter *x)
{
	struct err err;
	int more;
	while ((more = exporter_end(x, &err)) > 0)
		;
	assert_int_equal(more, 0);
}

/* Items first..last of the sample through an exporter. */
static char *export(struct export_options o, uint64_t first, uint64_t last)
{
	struct buf text = { 0 };
	struct err err;
	o.spool_dir = "/tmp";
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	for (uint64_t id = first; id <= last; id++) {
		struct sample s;
		sample_init(&s, id);
		assert_int_equal(exporter_add(x, &s.full, &err), 0);
	}
	end(x);
	return buf_take(&text);
}

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	return value;
}

static void test_jsonl_holds_what_was_accepted(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .format = EXPORT_JSONL }, 1, 1);
	CLEANUP(json_decrefp) json_t *line = parse(text);
	const json_t *labels = json_object_get(line, "annotations");
	assert_int_equal(json_array_size(labels), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(labels, 0), "concept")), "tabby");
	assert_string_equal(json_string_value(json_object_get(json_array_get(labels, 1), "concept")), "pet");
}

static void test_review_adds_what_waits_but_not_what_was_denied(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .with_review = true }, 1, 1);
	CLEANUP(json_decrefp) json_t *line = parse(text);
	assert_int_equal(json_array_size(json_object_get(line, "annotations")), 3);
	assert_null(strstr(text, "dog"));
}

static void test_by_reference_each_with_its_own_labels(void **state)
{
	(void)state;
	CLEANUP(freep) char *text = export((struct export_options){ .by = EXPORT_BY_REFERENCE }, 1, 1);
	char *second = strchr(text, '\n') + 1;
	second[-1] = '\0';
	CLEANUP(json_decrefp) json_t *one = parse(text);
	CLEANUP(json_decrefp) json_t *two = parse(second);
	assert_int_equal(json_array_size(json_object_get(one, "references")), 1);
	assert_int_equal(json_array_size(json_object_get(one, "annotations")), 1); /* "pet" is the second reference's */
	assert_int_equal(json_array_size(json_object_get(two, "annotations")), 2);
}

static void test_a_gone_reference_has_no_entry(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct export_options o = { .by = EXPORT_BY_REFERENCE };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 1);
	s.references[0].state = s.references[1].state = OBJECT_GONE;
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	end(x);
	assert_int_equal(text.len, 0);
}

static void test_spool_that_cannot_be_made_is_named(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	const struct export_options o = { .format = EXPORT_COCO, .spool_dir = "/nonexistent" };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, to_buf, &text);
	sample_init(&s, 1);
	assert_int_equal(exporter_add(x, &s.full, &err), 0);
	assert_int_equal(exporter_end(x, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

static void test_a_sink_that_fails_stops_the_export(void **state)
{
	(void)state;
	struct sample s;
	struct err err;
	const struct export_options o = { .format = EXPORT_JSONL };
	CLEANUP(exporter_freep) struct exporter *x = exporter_new(&o, refuse, NULL);
	sample_init(&s, 1);
	assert_int_equal(exporter_add(x, &s.full, &err), -1);
	assert_string_equal(err.text, "the reader has gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl_holds_what_was_accepted),
		cmocka_unit_test(test_review_adds_what_waits_but_not_what_was_denied),
		cmocka_unit_test(test_by_reference_each_with_its_own_labels),
		cmocka_unit_test(test_a_gone_reference_has_no_entry),
		cmocka_unit_test(test_spool_that_cannot_be_made_is_named),
		cmocka_unit_test(test_a_sink_that_fails_stops_the_export),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
