/* tree.h - the folder around a manifest whose rows lie in files beside it (YOLO's data.yaml): read like the files that rows
 * name. */
#ifndef INLET_SENDER_TREE_H
#define INLET_SENDER_TREE_H

#include "daemon/manifest/manifest.h"
#include "daemon/sender/files.h"

/* files: borrowed while the tree is used. */
struct manifest_tree import_tree(const struct import_files *files);

#endif
