/* interrupt.h - Ctrl-C, SIGTERM and SIGHUP as a question that loops ask; a second one ends the process at once. */
#ifndef INLET_CLI_INTERRUPT_H
#define INLET_CLI_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void); /* also ignores SIGPIPE: writes fail with EPIPE instead */
bool interrupted(void);

#endif
