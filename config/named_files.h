/* named_files.h - the files that a configuration names: are they there, and what they should be? */
#ifndef INLET_CONFIG_NAMED_FILES_H
#define INLET_CONFIG_NAMED_FILES_H

#include "config/config.h"
#include "config/option.h"

/* root: the tree that c was read from. Looked at as this user; contents of secrets are not looked into. ERR_REJECT with the line. */
int named_files_check(const struct config *c, const struct yaml_node *root, const struct option_place *at, struct err *err);

#endif
