/* host.h - "host[:port]" as it stands in a URL, strictly: what passes here is asked for as it was meant. */
#ifndef INLET_CONFIG_HOST_H
#define INLET_CONFIG_HOST_H

#include <stdbool.h>

/* NULL: it is one, and *ret_port says whether a port is written. Else why not, static text. */
const char *host_wrong(const char *text, bool *ret_port);

#endif
