/* bucket_name.c - naming rules of the providers. That Google keeps names with "goog" for itself is none of them here: its own
 * public buckets are read like any other. */
#include "config/bucket_name.h"

#include "daemon/base/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LOWER_AND_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LABEL_MAX 63

static const struct {
	size_t min, max;
	const char *characters, *wants;
	bool like_a_host;  /* as Amazon and Google have it: labels between dots, no address */
} rules_of[] = {
	[BUCKET_LENIENT] = { 1, 255, UPPER LOWER_AND_DIGITS ".-_", "is no bucket's name (A-Z a-z 0-9 . _ -)", false },
	[BUCKET_AMAZON] = { 3, 63, LOWER_AND_DIGITS ".-",
		"is no bucket's name at Amazon: 3 to 63 of a-z 0-9 . - (one from before 2018 may have more, with `region: us-east-1`; for "
		"another server say `endpoint`)", true },
	[BUCKET_AMAZON_OLD] = { 3, 255, UPPER LOWER_AND_DIGITS ".-_", "is no bucket's name at Amazon: 3 to 255 of A-Z a-z 0-9 . - _",
		false },
	[BUCKET_GOOGLE] = { 3, 222, LOWER_AND_DIGITS ".-_",
		"is no bucket's name at Google: 3 to 63 of a-z 0-9 . - _ (222 with dots)", true },
};

static bool starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_edge(char c)
{
	return c && strchr(LOWER_AND_DIGITS, c);
}

static const char *wrong_as_host(const char *name, enum bucket_rules rules)
{
	uint8_t address[16];
	if (!is_edge(name[0]) || !is_edge(name[strlen(name) - 1]))
		return "is no bucket's name: it begins and ends with a letter or digit";
	if (strstr(name, ".."))
		return "is no bucket's name: something stands between two dots";
	if (network_address(name, address) >= 0)
		return "is an address, and no bucket is called like one; a server of one's own is named in `endpoint`";
	if (rules == BUCKET_AMAZON && (starts(name, "xn--") || starts(name, "sthree-")))
		return "is no bucket's name at Amazon: none begins with 'xn--' or 'sthree-'";
	for (const char *label = name; label; label = strchr(label, '.') ? strchr(label, '.') + 1 : NULL)
		if (strcspn(label, ".") > LABEL_MAX)
			return "is no bucket's name: more than 63 characters without a dot";
	return NULL;
}

const char *bucket_name_wrong(const char *name, enum bucket_rules rules)
{
	size_t len = strlen(name);
	if (len < rules_of[rules].min || len > rules_of[rules].max || strspn(name, rules_of[rules].characters) != len)
		return rules_of[rules].wants;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "is no bucket's name: it would be a step in a path";
	return rules_of[rules].like_a_host ? wrong_as_host(name, rules) : NULL;
}
