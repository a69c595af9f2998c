/* import_tree.h - the folder around a manifest whose rows lie in files beside it (YOLO's data.yaml): read like the files that rows
 * name. */
#ifndef INLET_STAGES_IMPORT_TREE_H
#define INLET_STAGES_IMPORT_TREE_H

#include "daemon/stages/import_files.h"
#include "daemon/manifest/manifest.h"

/* files: borrowed while the tree is used. */
struct manifest_tree import_tree(const struct import_files *files);

#endif
