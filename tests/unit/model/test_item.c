/* test_item.c - ids of failures: one spelling each, and back. */
#include "daemon/model/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_ids_read_back(void **state)
{
	(void)state;
	const struct { enum failure_subject subject; uint64_t number; const char *id; } rows[] = {
		{ SUBJECT_OBJECT, 12, "o12" },
		{ SUBJECT_ITEM, 7, "i7" },
		{ SUBJECT_ROW, row_number(3, 17), "r3.17" },
		{ SUBJECT_ROW, row_number(IMPORT_MAX, ROW_LINE_MAX), "r8388607.1099511627775" },
		{ SUBJECT_ITEM, UINT64_MAX, "i18446744073709551615" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct failure f = { .subject = rows[i].subject, .number = rows[i].number };
		char id[FAILURE_ID_MAX];
		failure_id(&f, id);
		assert_string_equal(id, rows[i].id);
		enum failure_subject subject;
		uint64_t number;
		assert_int_equal(failure_id_parse(slice_of(id), &subject, &number), 0);
		assert_int_equal(subject, rows[i].subject);
		assert_true(number == rows[i].number);
	}
}

static void test_what_is_no_id(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", "o", "i", "7", "x7", "O7", "o0", "o07", "o-1", "i7 ", " i7", "i18446744073709551616",
		"r3", "r3.", "r.3", "r0.1", "r1.0", "r01.1", "r1.01", "r8388608.1", "r1.1099511627776", "r1.2.3" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		enum failure_subject subject = SUBJECT_ITEM;
		uint64_t number = 99;
		assert_int_equal(failure_id_parse(slice_of(wrong[i]), &subject, &number), -1);
		assert_true(subject == SUBJECT_ITEM && number == 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_read_back),
		cmocka_unit_test(test_what_is_no_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
