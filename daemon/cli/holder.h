/* holder.h - who holds the lock of a store, seen from outside: the lock is not tried, which would disturb whoever is about
 * to take it. */
#ifndef INLET_CLI_HOLDER_H
#define INLET_CLI_HOLDER_H

enum holder_role {
	HOLDER_SILENT,   /* the lock file says nothing: somebody is writing it */
	HOLDER_STAND_IN,
	HOLDER_DAEMON,   /* also where the file may not be read */
};

struct holder {
	long pid;              /* as the kernel lists it; 0: the lock is free, or its holder lives in another PID namespace */
	enum holder_role role; /* what the lock file says of its writer, who may be one of the past */
	long writer;           /* 0: not known. Another than pid: pid has taken the lock and not said yet what it is */
};

struct holder holder_of(int state_dir); /* -1: there is none */

#endif
