/* version.h - the release, as status, --version and the HTTP Server header say it. */
#ifndef INLET_BASE_VERSION_H
#define INLET_BASE_VERSION_H

#define INLET_VERSION "0.1.0"

#endif
