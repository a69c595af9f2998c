/* test_folder_names.c - which names are never objects. */
#include "connectors/folder_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool file(const char *name)
{
	return names_ignored(name, strlen(name), false, NULL);
}

static bool directory(const char *name)
{
	return names_ignored(name, strlen(name), true, NULL);
}

static void test_temporary_files(void **state)
{
	static const char *const names[] = { "a.part", "a.partial", "a.crdownload", "a.filepart", ".a.swp", ".a.swx", "4913", "a~",
		".~lock.table.ods#", ".goutputstream-AB12CD", ".syncthing.a.tmp", "~syncthing~a.tmp", ".photo.jpg.a1B2c3",
		".nfs00000000deadbeef00000001", ".~tmp~" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!file(names[i]))
			fail_msg("'%s' is let through", names[i]);
	}
}

static void test_ordinary_names_that_look_alike(void **state)
{
	static const char *const names[] = { "part", ".part", "a.party", "apart", "49130", "~", "a~b", "~$a.docx", "a.swp.jpg",
		".notes.backup", ".photo.jpg", "photo.jpg.a1B2c3", ".nfsd", ".nfs", "goutputstream-1", "@eaDirX", "lost+found.txt",
		"lost+found", "a", ".a", "\xff" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (file(names[i]))
			fail_msg("'%s' is ignored", names[i]);
	}
}

static void test_directories_have_their_own_rows(void **state)
{
	(void)state;
	assert_true(directory("@eaDir"));
	assert_true(directory("lost+found"));
	assert_true(directory(".~tmp~"));
	assert_false(directory("album.part"));
	assert_false(directory("4913"));
	assert_false(directory(".album.2024Q1"));
}

static void test_patterns_of_the_configuration(void **state)
{
	char hidden[] = ".*", raw[] = "*.[rR][aA][wW]";
	char *ignore[] = { hidden, raw, NULL };
	(void)state;
	assert_true(names_ignored(".x", 2, false, ignore));
	assert_true(names_ignored("a.RAW", 5, false, ignore));
	assert_true(names_ignored(".x", 2, true, ignore));
	assert_false(names_ignored("a.jpg", 5, false, ignore));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_temporary_files),
		cmocka_unit_test(test_ordinary_names_that_look_alike),
		cmocka_unit_test(test_directories_have_their_own_rows),
		cmocka_unit_test(test_patterns_of_the_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
