/* SPDX-License-Identifier: MIT */
#include "client/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

extern char **environ;

/* Ours, but with messages that can be relied on. Only the array is the caller's. */
static char **plain_environment(void)
{
	size_t n = 0, k = 0;
	while (environ[n]) {
		n++;
	}
	char **env = xcalloc(n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], "LC_ALL=", 7) != 0) {
			env[k++] = environ[i];
		}
	}
	env[k] = (char *)(uintptr_t) "LC_ALL=C";
	return env;
}

static int start(const char *const *argv, int out_fd, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	char **env = plain_environment();
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out_fd, STDERR_FILENO);
	int r = posix_spawnp(pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, env);
	posix_spawn_file_actions_destroy(&fa);
	free(env);
	return r;
}

/* False when the time is over. */
static bool take_output(int fd, int64_t deadline, struct buf *out)
{
	char chunk[4096];
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0) {
			return false;
		}
		if (poll(&p, 1, (int)left) <= 0) {
			continue;
		}
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n > 0 && out->len < TOOL_OUTPUT) {
			buf_add(out, chunk, (size_t)n);
		} else if (n == 0 || (n < 0 && errno != EINTR)) {
			return true;
		}
	}
}

int tool_run(const char *const *argv, int timeout_ms, struct buf *out)
{
	int p[2], status = 0;
	pid_t pid = 0;
	if (pipe2(p, O_CLOEXEC) != 0) {
		return TOOL_MISSING;
	}
	int r = start(argv, p[1], &pid);
	close(p[1]);
	if (r != 0) {
		close(p[0]);
		return TOOL_MISSING;
	}
	if (!take_output(p[0], clock_mono_ms() + timeout_ms, out)) {
		kill(pid, SIGKILL);
	}
	close(p[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	while (out->len && out->data[out->len - 1] == '\n') {
		out->data[--out->len] = '\0';
	}
	if (!WIFEXITED(status)) {
		return TOOL_KILLED;
	}
	return WEXITSTATUS(status) == 127 && !out->len ? TOOL_MISSING : WEXITSTATUS(status);
}
