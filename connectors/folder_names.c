/* folder_names.c - the table of temporary names. */
#include "connectors/folder_names.h"

#include <fnmatch.h>
#include <string.h>

enum kinds { FILES = 1, DIRECTORIES = 2, BOTH = FILES | DIRECTORIES };

/* A name is ignored when it begins with prefix, ends with suffix and is longer than both (or equal, where exact). */
static const struct row {
	const char *prefix, *suffix;
	unsigned char prefix_len, suffix_len;
	bool exact;
	enum kinds kinds;
} table[] = {
#define ROW(prefix, suffix, kinds) { prefix, suffix, sizeof(prefix) - 1, sizeof(suffix) - 1, false, kinds }
#define EXACT(name, kinds) { name, "", sizeof(name) - 1, 0, true, kinds }
	ROW("", ".part", FILES),            /* Firefox, wget, lftp */
	ROW("", ".partial", FILES),
	ROW("", ".crdownload", FILES),      /* Chromium */
	ROW("", ".filepart", FILES),        /* WinSCP */
	ROW("", ".swp", FILES),             /* vim, with the file it tries a directory with */
	ROW("", ".swx", FILES),
	EXACT("4913", FILES),
	ROW("", "~", FILES),
	ROW(".~lock.", "#", FILES),         /* LibreOffice */
	ROW(".goutputstream-", "", FILES),  /* GLib */
	EXACT(".~tmp~", BOTH),              /* rsync --delay-updates */
	ROW(".syncthing.", "", BOTH),
	ROW("~syncthing~", "", BOTH),
	EXACT("@eaDir", BOTH),              /* Synology */
	EXACT("lost+found", DIRECTORIES),
#undef ROW
#undef EXACT
};

static bool row_matches(const struct row *r, const char *name, size_t len)
{
	if (r->exact ? len != r->prefix_len : len <= (size_t)r->prefix_len + r->suffix_len)
		return false;
	return memcmp(name, r->prefix, r->prefix_len) == 0 &&
		memcmp(name + len - r->suffix_len, r->suffix, r->suffix_len) == 0;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* rsync writes to ".NAME.XXXXXX". Six lower-case letters would be a suffix that people use (".notes.backup"), and mkstemp
 * gives them once in 186 names: such a file is let through, and the settle time and the lease probe see to it. */
static bool is_rsync(const char *name, size_t len)
{
	size_t lower = 0;
	if (len < 9 || name[0] != '.' || name[len - 7] != '.')
		return false;
	for (const char *p = name + len - 6; p < name + len; p++) {
		if (!is_alnum(*p))
			return false;
		lower += is_lower(*p);
	}
	return lower < 6;
}

/* An NFS client keeps a deleted open file as ".nfs" and hexadecimal digits. */
static bool is_nfs(const char *name, size_t len)
{
	return len >= 12 && memcmp(name, ".nfs", 4) == 0 && strspn(name + 4, "0123456789abcdefABCDEF") == len - 4;
}

/* Most names end here: no row ends in another character, and those without a suffix begin with '.', '~', '@' or 'l'. */
static bool is_suspect(const char *name, size_t len)
{
	return strchr(".~@l4", name[0]) || strchr("tlpxd~", name[len - 1]);
}

bool names_ignored(const char *name, size_t len, bool directory, char *const *ignore)
{
	if (len > 0 && is_suspect(name, len)) {
		for (const struct row *r = table; r < table + sizeof(table) / sizeof(*table); r++) {
			if ((r->kinds & (directory ? DIRECTORIES : FILES)) && row_matches(r, name, len))
				return true;
		}
		if (!directory && (is_rsync(name, len) || is_nfs(name, len)))
			return true;
	}
	for (; ignore && *ignore; ignore++) {
		if (fnmatch(*ignore, name, 0) == 0)
			return true;
	}
	return false;
}
