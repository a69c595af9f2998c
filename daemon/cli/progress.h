/* progress.h - one line on the terminal that says how far long work has come; nothing at all where there is no
 * terminal. */
#ifndef INLET_CLI_PROGRESS_H
#define INLET_CLI_PROGRESS_H

#include <stdbool.h>

bool progress_seen(void); /* is there a terminal? */
/* Rewrites the line on standard error. */
void progress_show(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_clear(void); /* before anything else is printed; harmless where nothing was shown */

#endif
