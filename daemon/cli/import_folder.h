/* import_folder.h - import of a folder tree: every file in it once, in chunks that are durable one after the other. */
#ifndef INLET_CLI_IMPORT_FOLDER_H
#define INLET_CLI_IMPORT_FOLDER_H

#include "daemon/cli/import_run.h"

/* r->file is the folder. EXIT_*, -1. */
int import_folder(struct import_run *r, struct err *err);

#endif
