/* SPDX-License-Identifier: MIT */
/* trivial [FILE]: the smallest instance. Notes in FILE (also a FIFO) when it began, then waits. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	char text[64];
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc > 1) {
		int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0644);
		int n = snprintf(text, sizeof(text), "%lld %d\n",
				 (long long)now.tv_sec * 1000000000 + now.tv_nsec, (int)getpid());
		if (fd < 0 || write(fd, text, (size_t)n) != n) {
			return 1;
		}
		close(fd);
	}
	for (;;) {
		pause();
	}
}
