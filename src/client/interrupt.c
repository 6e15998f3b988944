/* SPDX-License-Identifier: MIT */
#include "client/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t pending;

static void on_signal(int sig)
{
	if (pending) {
		_exit(128 + sig);
	}
	pending = sig;
}

void interrupt_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;
		/* nohup(1) and shells that start jobs in the background have them ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
			sigaction(signals[i], &sa, NULL);
		}
	}
}

int interrupt_pending(void)
{
	return pending;
}

void interrupt_take(void)
{
	pending = 0;
}
