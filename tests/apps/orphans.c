/* SPDX-License-Identifier: MIT */
/* orphans N: makes N processes whose parent ends before them, waits until they are told to end,
 * tells how many there were, and waits. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 100 /* alive at a time */

/* One that ends at once with children that end when `gate` is closed. */
static void leave(int gate, int keep_open, int n)
{
	char c;
	for (int i = 0; i < n; i++) {
		if (fork() == 0) {
			close(keep_open);
			(void)!read(gate, &c, 1);
			_exit(0);
		}
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 0;
	int made = 0;

	while (left > 0) {
		int gate[2];
		int n = left < BATCH ? left : BATCH;
		if (pipe(gate) < 0) {
			return 1;
		}
		pid_t pid = fork();
		if (pid == 0) {
			leave(gate[0], gate[1], n);
		}
		waitpid(pid, NULL, 0);
		close(gate[0]);
		close(gate[1]);
		left -= n;
		made += n;
	}
	printf("%d orphans\n", made);
	fflush(stdout);
	for (;;) {
		pause();
	}
}
