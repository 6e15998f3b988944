/* SPDX-License-Identifier: MIT */
/*
 * stopwatch N PROGRAM [ARG...]: runs it N times, one after the other, its output to /dev/null, and
 * prints for each run the nanoseconds from before the fork until it was waited for. Fails if it
 * does.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (argc < 3 || null < 0) {
		return 2;
	}
	for (int i = atoi(argv[1]); i > 0; i--) {
		int status;
		int64_t begin = now_ns();
		pid_t pid = vfork();
		if (pid == 0) {
			dup2(null, STDOUT_FILENO);
			execve(argv[2], argv + 2, environ);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			die(argv[2]);
		}
		int64_t end = now_ns();
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			fprintf(stderr, "%s failed, status 0x%x\n", argv[2], (unsigned)status);
			return 1;
		}
		printf("%lld\n", (long long)(end - begin));
	}
	return 0;
}
