/* SPDX-License-Identifier: MIT */
/*
 * The limit of check, plan and apply: inih alone over the same bytes, and these over a Unix socket.
 *   parser check FILE          parses it and does nothing with what it finds
 *   parser send FILE SOCKET    ... then sends its bytes, and waits for a line
 *   parser serve SOCKET        reads all a client sends and answers with a line, until killed
 */
#include <ini.h>
#include <unistd.h>

#include "bench.h"

static int count(void *user, const char *section, const char *name, const char *value)
{
	size_t *n = user;
	(void)section;
	(void)name;
	*n += value != NULL;
	return 1;
}

/* The file's bytes, with a NUL behind them. */
static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	if (!f || fseek(f, 0, SEEK_END) != 0) {
		die(path);
	}
	*len = (size_t)ftell(f);
	char *text = calloc(1, *len + 1);
	rewind(f);
	if (!text || fread(text, 1, *len, f) != *len) {
		die(path);
	}
	fclose(f);
	return text;
}

static int parse(const char *text)
{
	size_t n = 0;
	return ini_parse_string(text, count, &n) == 0 && n > 0 ? 0 : 1;
}

static int send_all(const char *path, const char *text, size_t len)
{
	struct sockaddr_un sun;
	char answer[16];
	int fd = make_socket(path, &sun);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		die(path);
	}
	for (ssize_t n; len > 0; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n <= 0) {
			die("write");
		}
	}
	shutdown(fd, SHUT_WR);
	return read(fd, answer, sizeof(answer)) > 0 ? 0 : 1;
}

static int serve(const char *path)
{
	static char bytes[65536];
	struct sockaddr_un sun;
	int fd = make_socket(path, &sun);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || listen(fd, 100) != 0) {
		die(path);
	}
	for (;;) {
		int c = accept(fd, NULL, NULL);
		while (read(c, bytes, sizeof(bytes)) > 0) {
		}
		if (send(c, "ok\n", 3, MSG_NOSIGNAL) < 0) {
			perror("send");
		}
		close(c);
	}
}

int main(int argc, char **argv)
{
	size_t len;
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		return serve(argv[2]);
	}
	if (argc < 3) {
		return 2;
	}
	char *text = read_file(argv[2], &len);
	int status = parse(text);
	if (status == 0 && argc == 4 && strcmp(argv[1], "send") == 0) {
		status = send_all(argv[3], text, len);
	}
	free(text);
	return status;
}
