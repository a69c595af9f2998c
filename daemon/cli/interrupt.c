/* interrupt.c - signals that end the client. */
#include "daemon/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	(void)signal;
	caught = 1;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction once = { .sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND }; /* no SA_RESTART: poll() returns */
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		(void)sigaction(signals[i], &once, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

bool interrupted(void)
{
	return caught != 0;
}
