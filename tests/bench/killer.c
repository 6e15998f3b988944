/* SPDX-License-Identifier: MIT */
/*
 * killer N FIFO PROGRAM: the limit of a restart. PROGRAM writes into FIFO when it began. N times:
 * SIGKILL, wait, vfork + exec; prints the nanoseconds from the kill until the next one executes.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

static pid_t spawn(char *program, char *fifo)
{
	char *argv[] = {program, fifo, NULL};
	pid_t pid = vfork();
	if (pid == 0) {
		execve(program, argv, environ);
		_exit(127);
	}
	if (pid < 0) {
		die("vfork");
	}
	return pid;
}

static int64_t read_record(int fd)
{
	char text[64];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0) {
		die("read from the FIFO");
	}
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[1]) : 0;
	int fd = n > 0 ? open(argv[2], O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0) {
		return 2;
	}
	pid_t pid = spawn(argv[3], argv[2]);
	read_record(fd);
	for (int i = 0; i < n; i++) {
		usleep(20000); /* it has come to rest */
		int64_t begin = now_ns();
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = spawn(argv[3], argv[2]);
		printf("%lld\n", (long long)(read_record(fd) - begin));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
