/* key_filter.c - globs by backtracking to the last star only: no glob is exponential. */
#include "connectors/key_filter.h"

bool key_glob(const char *glob, struct slice text)
{
	const char *star = NULL;  /* what follows the last star seen */
	size_t i = 0, resume = 0; /* where that star's run ends, as tried so far */
	while (i < text.len) {
		if (*glob == '*') {
			star = ++glob;
			resume = i;
		} else if (*glob != '\0' && (*glob == '?' || *glob == text.p[i])) {
			glob++;
			i++;
		} else if (star) {
			glob = star;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

static bool any(char *const *globs, struct slice text)
{
	for (; globs && *globs; globs++) {
		if (key_glob(*globs, text))
			return true;
	}
	return false;
}

bool key_filter(char *const *include, char *const *exclude, struct slice rest)
{
	if (any(exclude, rest))
		return false;
	return !include || !include[0] || any(include, rest);
}
