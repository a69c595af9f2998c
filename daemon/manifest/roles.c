/* roles.c - the table of usual names. */
#include "daemon/manifest/roles.h"

#include "daemon/base/mem.h"
#include "daemon/base/text.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 32U
#define NAMES_MAX 24U

/* Written without what is not compared. */
static const struct {
	const char *name;
	const char *usual[NAMES_MAX];
} roles[MANIFEST_ROLES] = {
	[ROLE_ID] = { "id", { "id", "inputid", "itemid", "imageid", "externalid", "uuid", "guid", "key", "customid" } },
	[ROLE_INPUT] = { "input", { "input", "source", "content", "data", "item" } },
	[ROLE_URL] = { "url", { "url", "imageurl", "imgurl", "mediaurl", "audiourl", "videourl", "fileurl", "texturl",
		"uri", "imageuri", "fileuri", "gcsuri", "s3uri", "link", "href", "sourceurl", "downloadurl" } },
	[ROLE_PATH] = { "path", { "path", "filepath", "filename", "file", "imagepath", "imgpath", "image", "img",
		"imagename", "imagefile", "audiopath", "audiofile", "audio", "videopath", "videofile", "video", "localpath",
		"relativepath", "filepaths", "relpath", "fname" } },
	[ROLE_TEXT] = { "text", { "text", "sentence", "body", "review", "comment", "utterance", "document", "tweet",
		"question", "prompt" } },
	[ROLE_LABEL] = { "label", { "label", "class", "classname", "labelname", "category", "categoryname", "concept",
		"tag", "target", "classlabel" } },
	[ROLE_LABELS] = { "labels", { "labels", "concepts", "classes", "categories", "tags" } },
	[ROLE_CONFIDENCE] = { "confidence", { "confidence", "score", "probability", "prob", "conf" } },
	[ROLE_STATUS] = { "status", { "status", "annotationstatus", "reviewstatus" } },
	[ROLE_MAKER] = { "maker", { "maker", "annotator", "labeler", "labeller", "annotatedby", "labeledby", "worker" } },
	[ROLE_SPLIT] = { "split", { "split", "subset", "mluse", "partition", "set" } },
	[ROLE_METADATA] = { "metadata", { "metadata", "meta" } },
	[ROLE_MEDIA] = { "media", { "media", "mediatype", "mimetype", "mime", "contenttype" } },
	[ROLE_SIZE] = { "size", { "sizebytes", "filesize", "bytes", "filesizebytes", "contentlength" } },
	[ROLE_CHECKSUM] = { "checksum", { "checksum", "sha256", "md5", "sha256sum", "md5sum", "hash", "filehash" } },
	[ROLE_WIDTH] = { "width", { "width", "imagewidth", "imgwidth" } },
	[ROLE_HEIGHT] = { "height", { "height", "imageheight", "imgheight" } },
	[ROLE_XMIN] = { "xmin", { "xmin", "x1", "left", "bboxxmin", "boxxmin", "minx" } },
	[ROLE_YMIN] = { "ymin", { "ymin", "y1", "top", "bboxymin", "boxymin", "miny" } },
	[ROLE_XMAX] = { "xmax", { "xmax", "x2", "right", "bboxxmax", "boxxmax", "maxx" } },
	[ROLE_YMAX] = { "ymax", { "ymax", "y2", "bottom", "bboxymax", "boxymax", "maxy" } },
};

const char *manifest_role_name(enum manifest_role r)
{
	return roles[r].name;
}

enum manifest_role manifest_role_parse(struct slice name)
{
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		if (slice_eq(name, slice_of(roles[r].name)))
			return r;
	return MANIFEST_ROLES;
}

/* name in lower case without blanks, '-' and '_'; empty: too long to be a usual one. */
static struct slice plain_name(struct slice name, char room[NAME_MAX_BYTES])
{
	size_t n = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (c == ' ' || c == '-' || c == '_')
			continue;
		if (n == NAME_MAX_BYTES)
			return (struct slice){ 0 };
		room[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return (struct slice){ room, n };
}

size_t role_rank(enum manifest_role r, struct slice name)
{
	char room[NAME_MAX_BYTES];
	struct slice plain = plain_name(name, room);
	size_t i = 0;
	while (i < NAMES_MAX && roles[r].usual[i] && !slice_eq(plain, slice_of(roles[r].usual[i])))
		i++;
	return i;
}

enum manifest_role role_by_usual_name(struct slice name)
{
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++) {
		size_t rank = role_rank(r, name);
		if (rank < NAMES_MAX && roles[r].usual[rank])
			return r;
	}
	return ROLE_NONE;
}

static int missing(const char *name, enum manifest_role r, const struct slice *names, size_t count, struct err *err)
{
	const char **options = mem_zero(count + 1, sizeof(*options));
	for (size_t i = 0; i < count; i++)
		options[i] = names[i].p;
	const char *near = text_nearest(name, options);
	free(options);
	if (near)
		return err_set(err, ERR_REJECT, 0, "there is no column '%s' for %s; did you mean '%s'?", name,
			roles[r].name, near);
	return err_set(err, ERR_REJECT, 0, "there is no column '%s' for %s; correct --columns", name, roles[r].name);
}

static int resolve_mapped(const char *name, enum manifest_role r, const struct slice *names, size_t count,
	ptrdiff_t *ret, struct err *err)
{
	char twice[300];
	(void)snprintf(twice, sizeof(twice), "%s (2)", name);
	*ret = -1;
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(names[i], slice_of(name)))
			*ret = (ptrdiff_t)i;
		else if (slice_eq(names[i], slice_of(twice)))
			return err_set(err, ERR_REJECT, 0, "there are two columns '%s', and %s cannot be both; rename one",
				name, roles[r].name);
	}
	return *ret < 0 ? missing(name, r, names, count, err) : 0;
}

static ptrdiff_t resolve_usual(enum manifest_role r, const struct slice *names, size_t count)
{
	ptrdiff_t best = -1;
	size_t best_rank = NAMES_MAX;
	for (size_t i = 0; i < count; i++) {
		size_t rank = role_rank(r, names[i]);
		if (rank < best_rank && roles[r].usual[rank]) {
			best = (ptrdiff_t)i;
			best_rank = rank;
		}
	}
	return best;
}

const char *role_mapped(const struct manifest_columns *mapping, enum manifest_role r, const struct slice *names, size_t count)
{
	const char *name = mapping ? mapping->of[r] : NULL;
	for (size_t i = 0; name && mapping->loose && i <= count; i++) {
		if (i == count)
			return NULL;
		if (slice_eq(names[i], slice_of(name)))
			break;
	}
	return name;
}

int roles_resolve(const struct manifest_columns *mapping, const struct slice *names, size_t count,
	ptrdiff_t of[MANIFEST_ROLES], struct err *err)
{
	bool content_mapped = false;
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++)
		content_mapped = content_mapped || (role_is_content(r) && role_mapped(mapping, r, names, count));
	bool content_found = content_mapped;
	for (enum manifest_role r = 0; r < MANIFEST_ROLES; r++) {
		const char *mapped = role_mapped(mapping, r, names, count);
		of[r] = -1;
		if (mapped) {
			if (resolve_mapped(mapped, r, names, count, &of[r], err) < 0)
				return -1;
		} else if (!role_is_content(r)) {
			of[r] = resolve_usual(r, names, count);
		} else if (!content_found) { /* in the order of the roles: a text beside a URL describes it */
			of[r] = resolve_usual(r, names, count);
			content_found = of[r] >= 0;
		}
	}
	return 0;
}
