/* SPDX-License-Identifier: MIT */
/*
 * copier FILE BYTES PROGRAM [ARG...]: the limit of the log path. Runs PROGRAM with its output in a
 * pipe and copies it into FILE with read and write of up to BYTES, at every wake-up, until it ends.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

int main(int argc, char **argv)
{
	int p[2];
	size_t max = argc > 3 ? (size_t)atol(argv[2]) : 0;
	char *buf = malloc(max + 1);
	int file = max ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	if (!buf || file < 0 || pipe2(p, O_CLOEXEC) != 0) {
		return 2;
	}
	pid_t pid = vfork();
	if (pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		execve(argv[3], argv + 3, environ);
		_exit(127);
	}
	if (pid < 0) {
		die("vfork");
	}
	close(p[1]);
	for (ssize_t n; (n = read(p[0], buf, max)) > 0;) {
		if (write(file, buf, (size_t)n) != n) {
			die(argv[1]);
		}
	}
	waitpid(pid, NULL, 0);
	return 0;
}
