/* test_conflict.c - sets of concepts: which contradict each other, few and many. */
#include "daemon/store/conflict.h"

#include "daemon/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SET_MAX 16

/* "a b c" as a set, in room of SET_MAX. */
static struct concept_set set_of(const char *text, struct slice *room)
{
	struct concept_set s = { .of = room };
	for (const char *at = text; *at; at += *at == ' ') {
		size_t n = strcspn(at, " ");
		assert_true(s.count < SET_MAX);
		s.of[s.count++] = (struct slice){ at, n };
		at += n;
	}
	concept_set_order(&s);
	return s;
}

static void add(struct conflict *c, const char *text)
{
	struct slice room[SET_MAX];
	conflict_add(c, set_of(text, room));
}

static bool is_contradicted(const struct conflict *c, struct concept_set s, struct slice concept)
{
	bool all[SET_MAX];
	size_t at = concept_set_place(s, concept);
	assert_true(s.count <= SET_MAX && at < s.count);
	conflict_of(c, s, all);
	return all[at];
}

static bool with(const struct conflict *c, const char *text, const char *concept)
{
	struct slice room[SET_MAX];
	return is_contradicted(c, set_of(text, room), slice_of(concept));
}

static bool covers(const struct conflict *c, const char *text)
{
	struct slice room[SET_MAX];
	return conflict_covers(c, set_of(text, room));
}

static void test_what_one_has_not_while_it_has_another(void **state)
{
	CLEANUP(conflict_freep) struct conflict *c = conflict_new();
	(void)state;
	add(c, "cat pet");
	add(c, "pet dog dog");
	add(c, "pet");
	conflict_conclude(c);
	assert_true(conflict_any(c));
	assert_true(with(c, "cat pet", "cat") && with(c, "dog pet", "dog"));
	assert_false(with(c, "cat pet", "pet") || with(c, "dog pet", "pet"));
	assert_false(with(c, "pet", "pet")); /* it only says less */
	assert_true(covers(c, "pet cat") && covers(c, "pet"));
	assert_false(covers(c, "cat") || covers(c, "cat dog pet"));
}

static void test_one_alone_is_never_contradicted(void **state)
{
	CLEANUP(conflict_freep) struct conflict *c = conflict_new();
	(void)state;
	conflict_conclude(c);
	assert_false(conflict_any(c) || covers(c, "cat"));
	add(c, "cat");
	add(c, "cat");
	conflict_conclude(c);
	assert_false(conflict_any(c) || with(c, "cat", "cat"));
	assert_true(covers(c, "cat"));
}

static void test_of_very_many_only_what_all_have_is_left(void **state)
{
	CLEANUP(conflict_freep) struct conflict *c = conflict_new();
	char text[64];
	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "thing name%d", i);
		add(c, text);
	}
	conflict_conclude(c);
	assert_true(with(c, "name1 thing", "name1") && with(c, "name999 thing", "name999") && with(c, "new thing", "new"));
	assert_false(with(c, "name1 thing", "thing"));
	assert_true(covers(c, "quite new thing"));
	assert_false(covers(c, "quite new")); /* then "thing" would be contradicted, on all the others */
	add(c, "other");
	assert_true(with(c, "name1 thing", "thing") && covers(c, "quite new"));
}

/* --- against the plain definition --- */

#define SETS 60
#define CONCEPTS 7

static struct concept_set set_of_bits(unsigned bits, struct slice *room)
{
	static const char names[] = "gfedcba";
	struct concept_set s = { .of = room };
	for (unsigned i = 0; i < CONCEPTS; i++)
		if (bits & 1U << i)
			s.of[s.count++] = (struct slice){ names + i, 1 };
	concept_set_order(&s);
	return s;
}

static void test_as_defined_whatever_the_order(void **state)
{
	(void)state;
	srand(5);
	for (int round = 0; round < 200; round++) {
		CLEANUP(conflict_freep) struct conflict *c = conflict_new();
		struct slice room[CONCEPTS];
		unsigned sets[SETS];
		size_t n = 1 + (unsigned)rand() % (round % 2 ? 5 : SETS);
		for (size_t i = 0; i < n; i++) {
			sets[i] = 1 + (unsigned)rand() % ((1U << CONCEPTS) - 1);
			conflict_add(c, set_of_bits(sets[i], room));
		}
		conflict_conclude(c);
		for (size_t i = 0; i < n; i++) {
			unsigned expected = 0, got = 0;
			for (size_t k = 0; k < n; k++)
				expected |= sets[k] & ~sets[i] ? sets[i] & ~sets[k] : 0;
			for (unsigned b = 0; b < CONCEPTS; b++) {
				struct slice one[CONCEPTS];
				if (sets[i] & 1U << b && is_contradicted(c, set_of_bits(sets[i], room), set_of_bits(1U << b, one).of[0]))
					got |= 1U << b;
			}
			assert_int_equal(got, expected);
		}
	}
}

/* Looked up concept by concept in the whole set, this would take minutes. */
static void test_large_sets(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	CLEANUP(freep) struct slice *one = mem_zero(MANY, sizeof(*one)), *other = mem_zero(MANY, sizeof(*other));
	CLEANUP(freep) char *names = mem_zero(MANY + 1, 8);
	CLEANUP(freep) bool *contradicted = mem_zero(MANY, sizeof(*contradicted));
	for (size_t i = 0; i <= MANY; i++)
		(void)snprintf(names + 8 * i, 8, "c%05zu", i);
	for (size_t i = 0; i < MANY; i++) {
		one[i] = slice_of(names + 8 * i);
		other[i] = slice_of(names + 8 * (i + 1));
	}
	CLEANUP(conflict_freep) struct conflict *c = conflict_new();
	conflict_add(c, (struct concept_set){ one, MANY });
	conflict_add(c, (struct concept_set){ other, MANY });
	conflict_conclude(c);
	conflict_of(c, (struct concept_set){ one, MANY }, contradicted);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(contradicted[i], i == 0); /* all others are in both */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_one_has_not_while_it_has_another),
		cmocka_unit_test(test_one_alone_is_never_contradicted),
		cmocka_unit_test(test_of_very_many_only_what_all_have_is_left),
		cmocka_unit_test(test_as_defined_whatever_the_order),
		cmocka_unit_test(test_large_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
