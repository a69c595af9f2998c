/* routes.c - the one table of routes. */
#include "daemon/api/routes.h"

#include <string.h>

#define API "/api/v1"

static const struct route routes[] = {
	{ "GET", API "/status", status_answer, { NULL } },
	{ "GET", API "/items", items_answer,
		{ "state", "status", "concept", "source", "after", "limit", "full", NULL } },
	{ "GET", API "/items/#", item_answer, { NULL } },
	{ "GET", API "/items/#/content", content_answer, { "form", NULL } },
	{ "POST", API "/items/#/accept", accept_answer, { "concept", NULL } },
	{ "POST", API "/items/#/reject", reject_answer, { "concept", NULL } },
	{ "POST", API "/items/#/label", label_answer, { "concept", NULL } },
	{ "GET", API "/failures", failures_answer, { "after", "limit", "import", "format", NULL } },
	{ "POST", API "/retry", retry_answer, { "id", "all", "wait", NULL } },
	{ "POST", API "/relabel", relabel_answer, { "wait", NULL } },
	{ "POST", API "/sync", sync_answer, { "source", "accept_gone", "rebind", "wait", NULL } },
	{ "POST", API "/wait", wait_answer, { "timeout_ms", NULL } },
	{ "POST", API "/import", import_begin_answer, { "name", "file", "format", "header", "attributes", "into", NULL } },
	{ "POST", API "/import/#/rows", import_rows_answer, { NULL } },
	{ "POST", API "/import/#/settle", import_settle_answer, { NULL } },
	{ "POST", API "/import/#/end", import_end_answer, { "rows", "failed", "attributes", "wait", NULL } },
	{ "POST", API "/pause", pause_answer, { "source", NULL } },
	{ "POST", API "/resume", resume_answer, { "source", NULL } },
	{ "GET", API "/export", export_answer, { "format", "by", "review", "attribute", "files", NULL } },
	{ "POST", API "/verify", verify_answer, { "slice", "slices", NULL } },
	{ "GET", API "/doctor", doctor_answer, { NULL } },
	{ "GET", "/livez", livez_answer, { NULL } },
	{ "GET", "/readyz", readyz_answer, { NULL } },
	{ "GET", "/metrics", metrics_answer, { NULL } },
};

const struct route *route_find(const char *method, const char *path, uint64_t *ret_item, const char **ret_allowed)
{
	const char *as = strcmp(method, "HEAD") == 0 ? "GET" : method; /* libmicrohttpd leaves the body out */
	*ret_allowed = NULL;
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (!path_match(routes[i].path, path, ret_item))
			continue;
		if (strcmp(routes[i].method, as) == 0)
			return &routes[i];
		*ret_allowed = strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method;
	}
	return NULL;
}

const struct upload_ops *route_upload(const char *method, const char *path, uint64_t *ret_item)
{
	bool is_rows = strcmp(method, "POST") == 0 && path_match(API "/import/#/rows", path, ret_item);
	return is_rows ? &import_rows : NULL;
}

size_t route_body_max(const char *method, const char *path)
{
	uint64_t pass;
	bool is_import = strcmp(path, API "/import") == 0 || path_match(API "/import/#/end", path, &pass);
	return is_import && strcmp(method, "POST") == 0 ? REQUEST_IMPORT_MAX : REQUEST_BODY_MAX;
}
