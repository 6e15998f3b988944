/* SPDX-License-Identifier: MIT */
/*
 * forker children N        N children that ignore SIGTERM, then waits
 * forker daemon            a double-forked child in a session of its own that ignores SIGTERM, then
 * waits forker crash N MS CODE   as children, then exits with CODE after MS milliseconds forker
 * orphan            as daemon, then exits 0 at once Every descendant prints "child PID".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_child(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	printf("child %d\n", (int)getpid());
	fflush(stdout);
	for (;;) {
		pause();
	}
}

static void children(int n)
{
	for (int i = 0; i < n; i++) {
		if (fork() == 0) {
			be_child();
		}
	}
}

static void daemonised(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (fork() == 0) {
			be_child();
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "children";

	if (strcmp(mode, "daemon") == 0 || strcmp(mode, "orphan") == 0) {
		daemonised();
		if (strcmp(mode, "orphan") == 0) {
			return 0;
		}
	} else {
		children(argc > 2 ? atoi(argv[2]) : 1);
	}
	if (strcmp(mode, "crash") == 0) {
		usleep((useconds_t)(argc > 3 ? atoi(argv[3]) : 100) * 1000);
		return argc > 4 ? atoi(argv[4]) : 1;
	}
	for (;;) {
		pause();
	}
}
