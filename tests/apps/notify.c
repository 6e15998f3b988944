/* SPDX-License-Identifier: MIT */
/* notify MS [TEXT]: after MS milliseconds tells NOTIFY_SOCKET TEXT (READY=1), then waits. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int tell(const char *path, const char *text)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || len >= sizeof(addr.sun_path)) {
		return -1;
	}
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@') {
		addr.sun_path[0] = '\0';
	}
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&addr, size) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path == NULL) {
		fprintf(stderr, "no NOTIFY_SOCKET\n");
		return 3;
	}
	usleep((useconds_t)(argc > 1 ? atoi(argv[1]) : 0) * 1000);
	if (tell(path, argc > 2 ? argv[2] : "READY=1") < 0) {
		perror("notify");
		return 4;
	}
	printf("told\n");
	fflush(stdout);
	for (;;) {
		pause();
	}
}
