/* SPDX-License-Identifier: MIT */
/*
 * spawner N PROGRAM [ARG...]: the limit of starting N instances. For each two pipes for its output
 * and vfork + exec; prints the nanoseconds of the whole loop, waits for the end of its input and
 * ends them again.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

static pid_t spawn(char **argv)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
		die("pipe");
	}
	pid_t pid = vfork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execve(argv[0], argv, environ);
		_exit(127);
	}
	if (pid < 0) {
		die("vfork");
	}
	close(out[1]); /* the reading ends stay open, as with any manager */
	close(err[1]);
	return pid;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[1]) : 0;
	pid_t *pid = calloc((size_t)n + 1, sizeof(*pid));
	struct rlimit rl;
	char end;
	if (n < 1 || !pid) {
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	int64_t begin = now_ns();
	for (int i = 0; i < n; i++) {
		pid[i] = spawn(argv + 2);
	}
	printf("%lld\n", (long long)(now_ns() - begin));
	fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0) {
	}
	for (int i = 0; i < n; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	return 0;
}
