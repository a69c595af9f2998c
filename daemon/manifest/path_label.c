/* path_label.c - the last folder of a path, and its outermost split. */
#include "daemon/manifest/path_label.h"

#include "daemon/base/text.h"

#include <strings.h>

static enum row_split split_of(struct slice name)
{
	static const struct {
		const char *name;
		enum row_split split;
	} names[] = { { "train", SPLIT_TRAIN }, { "val", SPLIT_VAL }, { "valid", SPLIT_VAL }, { "validation", SPLIT_VAL },
		{ "test", SPLIT_TEST } };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == name.len && strncasecmp(names[i].name, name.p, name.len) == 0)
			return names[i].split;
	return SPLIT_NONE;
}

/* Moves *rest behind the folder that it begins with. False: only a file's name is left. */
static bool next_folder(struct slice *rest, struct slice *ret)
{
	const char *slash = rest->len ? memchr(rest->p, '/', rest->len) : NULL;
	if (!slash)
		return false;
	*ret = (struct slice){ rest->p, (size_t)(slash - rest->p) };
	*rest = (struct slice){ slash + 1, rest->len - ret->len - 1 };
	return true;
}

struct path_label path_label(struct slice path)
{
	struct path_label ret = { 0 };
	struct slice folder;
	while (next_folder(&path, &folder)) {
		enum row_split split = ret.split == SPLIT_NONE ? split_of(folder) : SPLIT_NONE;
		if (split != SPLIT_NONE)
			ret.split = split;
		ret.concept = split == SPLIT_NONE && text_is_utf8(folder) ? folder : (struct slice){ 0 };
	}
	return ret;
}
