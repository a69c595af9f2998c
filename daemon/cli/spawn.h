/* spawn.h - starts inletd as a child: as the owner of state_dir, in a session of its own, its stderr kept in memory. */
#ifndef INLET_CLI_SPAWN_H
#define INLET_CLI_SPAWN_H

#include "config/config.h"

#include <sys/types.h>

#define INLETD_TAKEN 4 /* exit status of `inletd --attend` that found the lock held by another owner */

/* `inletd MODE --config FILE`: the one beside this program, else the installed one. With keep_stderr its stderr is a
 * memory file that the caller owns (*ret_log); else it is ours. Run by root, it takes on the user who owns state_dir,
 * so that it leaves no file there that the daemon cannot write. ERR_RETRY. */
int spawn_inletd(const struct config *c, const char *mode, int *ret_log, pid_t *ret_pid, struct err *err);

#endif
