/* SPDX-License-Identifier: MIT */
/* echo: answers each connection on the LISTEN_FDS sockets with "PID SLOT FDNAME\n" and closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int listener, const char *slot, const char *name)
{
	char answer[128];
	int fd = accept(listener, NULL, NULL);

	if (fd < 0) {
		return; /* another instance was faster */
	}
	int n = snprintf(answer, sizeof(answer), "%d %s %s\n", (int)getpid(), slot, name);
	if (write(fd, answer, (size_t)n) < 0) {
		perror("write");
	}
	close(fd);
}

int main(void)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"),
		   *slot = getenv("PMCTL_SLOT");
	char *names = getenv("LISTEN_FDNAMES") ? strdup(getenv("LISTEN_FDNAMES")) : NULL;
	struct pollfd polls[32];
	const char *name_of[32];
	int count = fds ? atoi(fds) : 0;

	if (count < 1 || count > 32 || pid == NULL || atoi(pid) != (int)getpid()) {
		fprintf(stderr, "bad LISTEN_FDS %s LISTEN_PID %s\n", fds ? fds : "-",
			pid ? pid : "-");
		return 3;
	}
	char *rest = names;
	for (int i = 0; i < count; i++) {
		char *name = rest ? strsep(&rest, ":") : NULL;
		name_of[i] = name ? name : "-";
		polls[i] = (struct pollfd){.fd = 3 + i, .events = POLLIN};
		fcntl(3 + i, F_SETFL, fcntl(3 + i, F_GETFL) | O_NONBLOCK);
	}
	printf("serving %d sockets\n", count);
	fflush(stdout);
	for (;;) {
		if (poll(polls, (nfds_t)count, -1) < 0 && errno != EINTR) {
			return 1;
		}
		for (int i = 0; i < count; i++) {
			if (polls[i].revents & POLLIN) {
				serve(3 + i, slot ? slot : "-", name_of[i]);
			}
		}
	}
}
