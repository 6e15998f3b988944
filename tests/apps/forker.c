/* SPDX-License-Identifier: MIT */
/*
 * forker children N         N children that ignore SIGTERM, then waits
 *
 * forker daemon             a double-forked child in a session of its own, then waits
 *
 * forker crash N MS CODE    as children, then exits with CODE after MS milliseconds
 *
 * forker orphan             as daemon, then exits 0 at once
 *
 * forker hop                a process that is another one every half millisecond; dots
 *
 * forker spawn              orphans in sessions of their own, without pause
 *
 * The last two have "forker" for a name whatever they are; the others print "child PID".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* said = a pipe to close once the pid is told; -1 = none. */
static void be_child(int said)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	printf("child %d\n", (int)getpid());
	fflush(stdout);
	close(said);
	for (;;) {
		pause();
	}
}

static void children(int n)
{
	for (int i = 0; i < n; i++) {
		if (fork() == 0) {
			be_child(-1);
		}
	}
}

/* Returns once the child has said its pid. */
static void daemonised(void)
{
	int said[2];
	char c;
	pid_t pid = pipe(said) == 0 ? fork() : -1;

	if (pid == 0) {
		setsid();
		if (fork() == 0) {
			be_child(said[1]);
		}
		_exit(0);
	}
	close(said[1]);
	waitpid(pid, NULL, 0);
	while (read(said[0], &c, 1) > 0) {
	}
	close(said[0]);
}

/* Each lives only long enough to make the next: a list of pids is old when it is read. */
static void hop(void)
{
	for (int i = 0; i < 40000; i++) { /* 20 s: nobody may have to reboot for a test */
		if (fork() != 0) {
			_exit(0);
		}
		(void)!write(STDOUT_FILENO, ".", 1);
		usleep(500);
	}
	_exit(0);
}

static void spawn(void)
{
	for (int i = 0; i < 20000; i++) {
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				sleep(20);
			}
			_exit(0);
		}
		waitpid(-1, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "children";

	if (strcmp(mode, "daemon") == 0 || strcmp(mode, "orphan") == 0) {
		daemonised();
		if (strcmp(mode, "orphan") == 0) {
			return 0;
		}
	} else if (strcmp(mode, "hop") == 0) {
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0) {
			hop();
		}
	} else if (strcmp(mode, "spawn") == 0) {
		spawn();
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
