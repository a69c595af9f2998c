/* row.c - the words of row.h. */
#include "daemon/manifest/row.h"

const char *row_identity_name(enum row_identity k)
{
	static const char *const names[] = { "", "id", "reference", "text" };
	return names[k];
}

const char *row_content_name(enum row_content k)
{
	static const char *const names[] = { "", "url", "s3", "gs", "path", "text" };
	return names[k];
}

const char *row_split_name(enum row_split s)
{
	static const char *const names[] = { "", "train", "val", "test" };
	return names[s];
}

const char *row_maker_name(enum row_maker m)
{
	static const char *const names[] = { "unknown", "human", "machine" };
	return names[m];
}
