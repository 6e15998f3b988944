/* SPDX-License-Identifier: MIT */
/*
 * A pmctld that goes wrong in one way, which is the name it is called by; otherwise it is
 * $PMCTL_TEST_REAL. For `daemon upgrade`. Called pmctld it is good, but of another protocol.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hang(void)
{
	for (;;) {
		pause();
	}
}

/* It speaks to no keeper but one of its own: what is started with it knows that from there. */
static void speak_another_protocol(const char *as)
{
	if (strcmp(as, "--self-check") == 0) {
		puts("pmctld 9.9.9 keeper 999");
		exit(0);
	}
	if (strcmp(as, "--supervisor") == 0 && !getenv("PMCTL_TEST_OURS")) {
		exit(3); /* KEEPER_EXIT_PROTOCOL */
	}
	setenv("PMCTL_TEST_OURS", "1", 1);
}

static void go_wrong(const char *how, const char *as)
{
	bool check = strcmp(as, "--self-check") == 0;
	bool supervisor = strcmp(as, "--supervisor") == 0;
	bool keeper = strcmp(as, "--keeper") == 0;
	if ((check && strcmp(how, "crash-check") == 0) ||
	    (supervisor && strcmp(how, "crash-start") == 0) ||
	    (keeper && strcmp(how, "crash-keeper") == 0)) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	if ((check && strcmp(how, "hang-check") == 0) ||
	    (supervisor && strcmp(how, "hang-start") == 0)) {
		hang();
	}
	if (check && strcmp(how, "flood-check") == 0) {
		for (int i = 0; i < 100000; i++) {
			puts("no end of words");
		}
		exit(1);
	}
	if (supervisor && strcmp(how, "crash-late") == 0 && fork() == 0) {
		pid_t parent = getppid();
		sleep(1);
		if (getppid() == parent) {
			kill(parent, SIGABRT);
		}
		_exit(0);
	}
	if (strcmp(how, "pmctld") == 0) {
		speak_another_protocol(as);
	}
	if (check && strcmp(how, "old-state") == 0) {
		setenv("PMCTL_HOME", getenv("PMCTL_TEST_HOME"), 1);
	}
}

int main(int argc, char **argv)
{
	char self[4096];
	const char *real = getenv("PMCTL_TEST_REAL");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0 || !real) {
		return 2;
	}
	self[n] = '\0';
	go_wrong(strrchr(self, '/') + 1, argc > 1 ? argv[1] : "");
	execv(real, argv);
	return 127;
}
