/* SPDX-License-Identifier: MIT */
#include "client/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "common/clock.h"
#include "common/mem.h"
#include "version.h"

#define MAX_WORDS 2000 /* of what pmctld says */
#define OTHER_MS  3000

extern char **environ;

char *daemonize_program(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	static const char *const beside[] = {"pmctld", "../daemon/pmctld" /* as it was built */};
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(beside); i++) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		char *path = xasprintf("%.*s/%s", (int)(slash - self), self, beside[i]);
		if (access(path, X_OK) == 0) {
			return path;
		}
		free(path);
	}
	if (access(PMCTL_BINDIR "/pmctld", X_OK) == 0) {
		return xstrdup(PMCTL_BINDIR "/pmctld");
	}
	return xstrdup("pmctld");
}

/* pmctld with its words into a pipe; -1 with errno. */
static pid_t spawn(const char *path, int words_fd)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	char name[] = "pmctld";
	char *argv[] = {name, NULL};
	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, words_fd, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
	int r = posix_spawnp(&pid, path, &fa, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	errno = r;
	return r == 0 ? pid : -1;
}

/* Until pmctld's foreground process ends; the pipe may be kept open by nobody else then. */
static void read_words(int fd, struct buf *words)
{
	char chunk[512];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n > 0 && words->len < MAX_WORDS) {
			buf_add(words, chunk, (size_t)n);
		} else if (n == 0 || (n < 0 && errno != EINTR)) {
			return;
		}
	}
}

static bool judge(pid_t pid, struct buf *words, struct err *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return err_sys(err, "wait for pmctld");
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return true;
	}
	while (words->len && words->data[words->len - 1] == '\n') {
		words->data[--words->len] = '\0';
	}
	const char *said = words->len ? words->data : "it ended without a word";
	enum err_code code =
		WIFEXITED(status) && WEXITSTATUS(status) == 6 ? ERR_PERMISSION : ERR_NO_DAEMON;
	return err_set(err, code, "pmctld did not start: %.900s",
		       strncmp(said, "pmctld: ", 8) == 0 ? said + 8 : said);
}

static bool start(struct err *err)
{
	int words_fd[2];
	struct buf words = {0};
	if (pipe2(words_fd, O_CLOEXEC) != 0) {
		return err_sys(err, "create a pipe");
	}
	char *path = daemonize_program();
	pid_t pid = spawn(path, words_fd[1]);
	close(words_fd[1]);
	bool ok;
	if (pid < 0) {
		ok = err_sys(err, "start %s", path);
		err->code = ERR_NO_DAEMON;
	} else {
		read_words(words_fd[0], &words);
		ok = judge(pid, &words, err);
	}
	close(words_fd[0]);
	buf_finish(&words);
	free(path);
	return ok;
}

/* One that was killed a moment ago seems to listen until the last of its threads is gone, which may
 * still be waiting for a disk. One that says nothing in time is taken for one that lives. */
static bool answers(struct client *c)
{
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + OTHER_MS};
	struct rpc_reply reply;
	struct err err;
	bool ok = conn_call(&c->conn, "ping", NULL, &w, &reply, &err);
	rpc_reply_finish(&reply);
	if (!ok) {
		conn_close(&c->conn);
	}
	return ok || (err.code != ERR_NO_DAEMON && client_connect(c, &err));
}

struct reached {
	bool fresh; /* we started it */
	bool dying; /* there was one that had been killed */
};

/* Somebody else may have started one at the same time, which may not listen yet. */
static bool connect_to_other(struct client *c, struct reached *r)
{
	struct err ignored;
	for (int i = 0; i < OTHER_MS / 10; i++) {
		if (client_connect(c, &ignored)) {
			r->dying = !answers(c);
			return !r->dying;
		}
		if (access(c->paths.socket, F_OK) != 0) {
			return false;
		}
		usleep(10000);
	}
	return false;
}

static bool reach(struct client *c, struct reached *r, struct err *err)
{
	r->dying = false;
	if (client_connect(c, err)) {
		r->dying = !answers(c);
		if (!r->dying) {
			return true;
		}
		err_set(err, ERR_NO_DAEMON, "pmctld is ending");
	}
	/* As a part of one that is ending we start no other. */
	if (err->code != ERR_NO_DAEMON || getenv("PMCTL_FOREGROUND")) {
		return false;
	}
	bool ok = start(err);
	r->fresh |= ok;
	/* One that was woken may be between bind(2) and listen(2). */
	return connect_to_other(c, r) || (ok && client_connect(c, err));
}

bool daemonize(struct client *c, bool *started, struct err *err)
{
	struct reached r = {0};
	bool ok = reach(c, &r, err) || (r.dying && reach(c, &r, err));
	if (started) {
		*started = ok && r.fresh;
	}
	return ok;
}
