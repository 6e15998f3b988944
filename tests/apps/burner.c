/* SPDX-License-Identifier: MIT */
/* burner [child]: uses a whole CPU, itself or in a child while the parent only waits. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "child") == 0 && fork() != 0) {
		for (;;) {
			pause();
		}
	}
	printf("burning in %d\n", (int)getpid());
	fflush(stdout);
	for (volatile unsigned long n = 0;; n++) {
	}
}
