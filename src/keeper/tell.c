/* SPDX-License-Identifier: MIT */
#include "keeper/tell.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fileio.h"

void tell_launcher(int fd, const char *reason)
{
	if (fd < 0) {
		return;
	}
	/* With its end: one who dies says nothing. Where it fails, the launcher is gone. */
	file_write_all(fd, reason, strlen(reason) + 1);
	close(fd);
}

bool tell_wait(int fd, char *why, size_t cap)
{
	size_t len = 0;
	ssize_t n = 0;
	do {
		n = read(fd, why + len, cap - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	why[len] = '\0';
	return len > 0 && !why[0];
}

void tell_manager(const char *path, const char *text)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(sa.sun_path)) {
		return;
	}
	memcpy(sa.sun_path, path, len + 1);
	if (path[0] == '@') {
		sa.sun_path[0] = '\0';
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sa, size);
		close(fd);
	}
}
