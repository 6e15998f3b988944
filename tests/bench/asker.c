/* SPDX-License-Identifier: MIT */
/*
 * The limit of a status command: a client that asks over a Unix socket and prints the answer.
 *   asker serve SOCKET BYTES   answers each line of any client with that many bytes, until killed
 *   asker ask SOCKET           one line out, the answer to stdout
 */
#include <unistd.h>

#include "bench.h"

static int serve(const char *path, size_t len)
{
	struct sockaddr_un sun;
	char question[256];
	char *answer = malloc(len + 1);
	int fd = make_socket(path, &sun);
	if (!answer || len < 1) {
		return 2;
	}
	memset(answer, 'x', len);
	answer[len - 1] = '\n';
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || listen(fd, 100) != 0) {
		die(path);
	}
	for (;;) {
		int c = accept(fd, NULL, NULL);
		if (read(c, question, sizeof(question)) > 0 &&
		    send(c, answer, len, MSG_NOSIGNAL) < 0) {
			perror("send");
		}
		close(c);
	}
}

static int ask(const char *path)
{
	static char answer[65536];
	struct sockaddr_un sun;
	size_t len = 0;
	int fd = make_socket(path, &sun);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || write(fd, "list\n", 5) != 5) {
		die(path);
	}
	while (len < sizeof(answer) && (len == 0 || answer[len - 1] != '\n')) {
		ssize_t n = read(fd, answer + len, sizeof(answer) - len);
		if (n <= 0) {
			die("read");
		}
		len += (size_t)n;
	}
	return write(STDOUT_FILENO, answer, len) == (ssize_t)len ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "serve") == 0) {
		return serve(argv[2], (size_t)atol(argv[3]));
	}
	return argc == 3 && strcmp(argv[1], "ask") == 0 ? ask(argv[2]) : 2;
}
