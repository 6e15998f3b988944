/* SPDX-License-Identifier: MIT */
/* inspect: prints what it was given (ids, umask, nice, limits, CPUs, environment, descriptors,
 * signals) and waits. */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void put_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 32) {
			printf("\\u%04x", (unsigned char)*s);
		} else {
			putchar(*s);
		}
	}
	putchar('"');
}

static void put_environment(void)
{
	printf("\"env\":[");
	for (char **e = environ; *e; e++) {
		printf("%s", e == environ ? "" : ",");
		put_string(*e);
	}
	printf("],");
}

static void put_descriptors(void)
{
	bool first = true;

	printf("\"fds\":{");
	for (int fd = 0; fd < 1024; fd++) {
		char link[64], target[4096];
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, target, sizeof(target) - 1);
		if (n < 0) {
			continue;
		}
		target[n] = '\0';
		printf("%s\"%d\":", first ? "" : ",", fd);
		put_string(target);
		first = false;
	}
	printf("},");
}

static void put_signals(void)
{
	sigset_t mask;
	bool first = true;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("\"blocked_or_ignored\":[");
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa;
		if (sigaction(sig, NULL, &sa) < 0) {
			continue;
		}
		if (sa.sa_handler == SIG_IGN || sigismember(&mask, sig) == 1) {
			printf("%s%d", first ? "" : ",", sig);
			first = false;
		}
	}
	printf("],");
}

static void put_ids(void)
{
	gid_t groups[64];
	int n = getgroups(64, groups);

	printf("\"pid\":%d,\"ppid\":%d,\"sid\":%d,\"pgid\":%d,\"uid\":%d,\"euid\":%d,\"gid\":%d,"
	       "\"egid\":%d,"
	       "\"groups\":[",
	       (int)getpid(), (int)getppid(), (int)getsid(0), (int)getpgrp(), (int)getuid(),
	       (int)geteuid(), (int)getgid(), (int)getegid());
	for (int i = 0; i < n; i++) {
		printf("%s%d", i ? "," : "", (int)groups[i]);
	}
	printf("],");
}

static void put_limits(void)
{
	struct rlimit lim;
	cpu_set_t cpus;
	mode_t mask = umask(0);

	umask(mask);
	printf("\"umask\":%d,\"nice\":%d,", (int)mask, getpriority(PRIO_PROCESS, 0));
	getrlimit(RLIMIT_NOFILE, &lim);
	printf("\"nofile\":[%lld,%lld],", (long long)lim.rlim_cur, (long long)lim.rlim_max);
	getrlimit(RLIMIT_CORE, &lim);
	printf("\"core\":[%lld,%lld],", (long long)lim.rlim_cur, (long long)lim.rlim_max);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	printf("\"cpus\":[");
	bool first = true;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &cpus)) {
			printf("%s%d", first ? "" : ",", i);
			first = false;
		}
	}
	printf("],");
}

int main(int argc, char **argv)
{
	char cwd[4096];

	printf("{");
	put_ids();
	put_limits();
	put_environment();
	put_descriptors();
	put_signals();
	printf("\"tty\":%s,\"args\":[",
	       open("/dev/tty", O_RDONLY | O_CLOEXEC) < 0 ? "false" : "true");
	for (int i = 1; i < argc; i++) {
		printf("%s", i > 1 ? "," : "");
		put_string(argv[i]);
	}
	printf("],\"cwd\":");
	put_string(getcwd(cwd, sizeof(cwd)) ? cwd : "");
	printf("}\n");
	fflush(stdout);
	for (;;) {
		pause();
	}
}
