/* inlet-decode.c - the program that parses untrusted media for inletd, in a sandbox of its own making. */
#include "daemon/base/version.h"
#include "daemon/decode/protocol.h"
#include "daemon/decode/worker.h"
#include "daemon/decode/worker_sandbox.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "inlet-decode is started by inletd; there is nothing to run by hand but\n"
			    "  inlet-decode --self-test   show that its sandbox holds on this machine\n"
			    "  inlet-decode --version\n";

int main(int argc, char **argv)
{
	const char *verb = argc == 2 ? argv[1] : "";
	if (strcmp(verb, "--worker") == 0)
		_exit(worker_serve(WIRE_FD)); /* no exit handlers of libraries that have seen hostile bytes */
	if (strcmp(verb, "--self-test") == 0)
		return sandbox_self_test();
	if (strcmp(verb, "--version") == 0)
		return printf("inlet-decode %s\n", INLET_VERSION) < 0;
	(void)fputs(usage, stderr);
	return strcmp(verb, "--help") == 0 ? 0 : 2;
}
