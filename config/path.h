/* path.h - where a path in a configuration file leads: relative ones start beside the file that names them. */
#ifndef INLET_CONFIG_PATH_H
#define INLET_CONFIG_PATH_H

#include <stdbool.h>

/* dir/path without leading "./" and "../"; an absolute path as it is. dir is absolute and free of symlinks, so that
 * going up is cutting off a name. The caller owns the result. */
char *path_join(const char *dir, const char *path);
/* Absolute and free of symlinks as far as the path exists; what does not exist yet is appended as written. Owned by the
 * caller. */
char *path_real(const char *path);
/* Both from path_real(): inner is outer or lies below it. */
bool path_inside(const char *inner, const char *outer);

#endif
