/* SPDX-License-Identifier: MIT */
/* stubborn: ignores every signal it may ignore; only SIGKILL ends it. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		signal(sig, SIG_IGN);
	}
	printf("stubborn %d\n", (int)getpid());
	fflush(stdout);
	for (;;) {
		pause();
	}
}
