/* formats.h - the formats there are, one file each, and what some of them share. */
#ifndef INLET_MANIFEST_FORMATS_H
#define INLET_MANIFEST_FORMATS_H

#include "daemon/base/cleanup.h"
#include "daemon/manifest/format.h"

extern const struct format manifest_csv, manifest_clarifai, manifest_urls, manifest_automl;
extern const struct format manifest_jsonl, manifest_sidecar, manifest_labelstudio, manifest_groundtruth, manifest_vertex, manifest_cvat,
	manifest_openai, manifest_huggingface;
extern const struct format manifest_coco, manifest_yolo;

bool clarifai_is_header(const struct slice *names, size_t count);
bool automl_is_row(const struct slice *cells, size_t count);

/* format_csv.c: with path_suffix (NULL allowed) the first column whose name ends so says where the file is. */
int plain_table_open(struct manifest *m, const char *path_suffix, struct err *err);
int plain_table_next(struct manifest *m, struct err *err);
void plain_table_close(struct manifest *m);
/* format_jsonl.c: members by role; where the row has its content already no member is one. Members among `taken`
 * (NULL-terminated, NULL allowed) are no metadata. */
int plain_object_row(struct manifest *m, const struct node *root, const struct node *const *taken);

#endif
