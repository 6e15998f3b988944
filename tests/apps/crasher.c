/* SPDX-License-Identifier: MIT */
/* crasher SIGNAL [MS]: dies by that signal number after MS milliseconds. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int sig = argc > 1 ? atoi(argv[1]) : SIGSEGV;

	if (argc > 2) {
		usleep((useconds_t)atoi(argv[2]) * 1000);
	}
	printf("dying by signal %d\n", sig);
	fflush(stdout);
	signal(sig, SIG_DFL);
	raise(sig);
	return 0;
}
