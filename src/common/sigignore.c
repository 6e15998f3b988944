/* SPDX-License-Identifier: MIT */
#include "common/sigignore.h"

#include <signal.h>

#include "common/mem.h"

/* The first ones are the C library's own; which, depends on the library. */
#define FIRST_REALTIME 35

static void set_all(void (*handler)(int))
{
	static const int alarms[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT};
	for (size_t i = 0; i < ARRAY_LEN(alarms); i++) {
		signal(alarms[i], handler);
	}
	for (int sig = FIRST_REALTIME; sig < NSIG; sig++) {
		signal(sig, handler);
	}
}

void sigignore_unmeant(void)
{
	set_all(SIG_IGN);
}

void sigignore_restore(void)
{
	set_all(SIG_DFL);
}
