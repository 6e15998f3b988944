/* SPDX-License-Identifier: MIT */
#include "daemon/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/words.h"
#include "keeper/tell.h"
#include "sys/fileio.h"
#include "sys/paths.h"
#include "sys/spawn.h"
#include "version.h"

#define END_MS	       2000 /* for the log stream to write the rest */
#define NAP_MS	       10
#define TRIES	       20 /* a supervisor that dies takes the answer with it; the list is told again */
#define TRY_NAP_MS     200
#define REPLY_MS       5000
#define FOLLOWER       "PMCTL_FOLLOWER" /* its pid, for the next program of the keeper's process */
#define NO_DAEMON      "PMCTL_FOREGROUND" /* see client/daemonize.c */
#define NO_DAEMON_EXIT 5

static void nap(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&ts, NULL);
}

/* --- processes of our own --- */

static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++) {
		signal(sig, SIG_DFL);
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What a child of the keeper must not have: its descriptors, the lock above all. It ends with it.
 */
static void become_helper(pid_t keeper, int keep_fd, int end_signal)
{
	int fd = dup2(keep_fd, 3);
	close_range(4, ~0u, 0);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	setsid(); /* Ctrl-C is for the keeper */
	reset_signals();
	prctl(PR_SET_PDEATHSIG, end_signal);
	if (getppid() != keeper) {
		_exit(1);
	}
}

/* Until the daemon is ready, or has failed: why. */
static bool wait_ready(int fd)
{
	char why[512];
	bool ready = tell_wait(fd, why, sizeof(why));
	if (!ready && why[0]) {
		fprintf(stderr, "pmctld: %s\n", why);
	}
	return ready;
}

static void exec_pmctl(struct words *w)
{
	static const char *const beside[] = {"pmctl", "../client/pmctl" /* as it was built */};
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		char *path = spawn_find_file(beside[i]);
		if (path) {
			execv(path, w->v);
			free(path);
		}
	}
	execv(PMCTL_BINDIR "/pmctl", w->v);
	execvp("pmctl", w->v);
	fprintf(stderr, "pmctld: no pmctl beside pmctld, nor in PATH: %s\n", strerror(errno));
	_exit(127);
}

/* --- the log stream --- */

static void follower_main(pid_t keeper)
{
	struct words w = {0};
	char since[24];
	snprintf(since, sizeof(since), "%lld", (long long)clock_real_ms());
	become_helper(keeper, STDIN_FILENO, SIGUSR1);
	/* A service manager may signal all of us at once, and the apps have things to say yet. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (chdir("/") != 0) {
		_exit(1);
	}
	words_add(&w, "pmctl");
	words_add(&w, "__follow");
	words_add(&w, since);
	exec_pmctl(&w);
}

void foreground_end(void)
{
	const char *text = getenv(FOLLOWER);
	pid_t pid = text ? (pid_t)atoi(text) : 0;
	if (pid <= 0 || waitpid(pid, NULL, WNOHANG) != 0) {
		return; /* none, gone, or no child of ours */
	}
	kill(pid, SIGUSR1);
	for (int ms = 0; waitpid(pid, NULL, WNOHANG) == 0; ms += NAP_MS) {
		if (ms >= END_MS) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		nap(NAP_MS);
	}
}

/* --- what is to run --- */

static int run_start(const struct words *w)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for the apps */
		exec_pmctl((struct words *)(uintptr_t)w);
	}
	while (pid < 0 || waitpid(pid, &status, 0) < 0) {
		if (pid < 0 || errno != EINTR) {
			return 1;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int connect_daemon(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = REPLY_MS / 1000};
	struct paths paths;
	struct err err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !paths_resolve(&paths, &err)) {
		return -1;
	}
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", paths.socket);
	paths_finish(&paths);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The whole answer of the daemon; NULL if there is none. */
static json_t *ask(const char *request)
{
	json_t *reply = NULL;
	int fd = connect_daemon();
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t cap = 0;
	if (f && file_write_all(fd, request, strlen(request)) && getline(&line, &cap, f) > 0) {
		reply = json_loads(line, 0, NULL);
	}
	free(line);
	if (f) {
		fclose(f);
	} else if (fd >= 0) {
		close(fd);
	}
	return reply;
}

/* Whether the daemon has anything to supervise; what an earlier life knew is not wanted. */
static bool has_apps(void)
{
	json_t *reply = ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n");
	json_t *n = json_object_get(json_object_get(reply, "result"), "wanted");
	bool some = !reply || json_integer_value(n) > 0;
	json_decref(reply);
	return some;
}

/* Nothing runs as it should: the container ends, with pmctl's code. */
static void end_with(int code, pid_t keeper)
{
	char request[120];
	snprintf(request, sizeof(request),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.stop\",\"params\":{\"exit_"
		 "status\":%d}}\n",
		 code);
	json_t *reply = ask(request);
	if (!reply && getppid() == keeper) {
		kill(keeper, SIGTERM);
	}
	json_decref(reply);
}

/* Whether pmctl has refused what it was given; else the apps are there, and their fate is a matter
 * of --exit-on. */
static bool is_refused(int status)
{
	return status != 0 && status != 8 && (status != 1 || !has_apps());
}

static void starter_main(const struct foreground *f, pid_t keeper, int ready_fd)
{
	struct words w = {0};
	int status = NO_DAEMON_EXIT;
	become_helper(keeper, ready_fd, SIGKILL);
	if (!wait_ready(3)) {
		_exit(1);
	}
	setenv(NO_DAEMON, "1", 1);
	words_add(&w, "pmctl");
	words_add(&w, "start");
	words_add(&w, f->file ? "--config" : f->words[0]);
	words_add(&w, f->file ? f->file : "--");
	for (size_t i = 1; f->words && f->words[i]; i++) {
		words_add(&w, f->words[i]);
	}
	for (int i = 0; i < TRIES && status == NO_DAEMON_EXIT; i++) {
		nap(i ? TRY_NAP_MS : 0);
		status = run_start(&w);
	}
	if (is_refused(status)) {
		end_with(status, keeper);
	}
	_exit(0);
}

/* --- from the keeper to be --- */

static bool parse_exit_on(const char *word, int32_t *out)
{
	static const char *const words[] = {
		[EXIT_ON_NEVER] = "never", [EXIT_ON_ANY] = "any", [EXIT_ON_ALL] = "all"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (int32_t)i;
			return true;
		}
	}
	return false;
}

bool foreground_check(const struct foreground *f, struct err *err)
{
	int32_t ignored;
	if (f->exit_on && !parse_exit_on(f->exit_on, &ignored)) {
		return err_set(err, ERR_USAGE, "--exit-on is any, all or never, not \"%.40s\"",
			       f->exit_on);
	}
	if (f->words && f->file) {
		return err_set(err, ERR_USAGE, "an app list and a command exclude each other");
	}
	if (f->words && !f->words[0]) {
		return err_set(err, ERR_USAGE, "there is no command behind --");
	}
	return true;
}

bool foreground_begin(const struct foreground *f, struct keeper_options *opt, struct err *err)
{
	int ready[2];
	pid_t keeper = getpid();
	opt->container.has_list = f->file || f->words;
	opt->container.pass_env = f->pass_env;
	parse_exit_on(f->exit_on ? f->exit_on : "never", &opt->container.exit_on);
	unsetenv(FOLLOWER);
	fflush(NULL);
	pid_t pid = f->logs ? fork() : -1;
	if (pid == 0) {
		follower_main(keeper);
	}
	if (f->logs && pid < 0) {
		return err_sys(err, "fork");
	}
	if (pid > 0) {
		char number[16];
		snprintf(number, sizeof(number), "%d", (int)pid);
		setenv(FOLLOWER, number, 1);
	}
	if (!opt->container.has_list) {
		return true;
	}
	if (pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		return err_sys(err, "fork");
	}
	if (pid == 0) {
		starter_main(f, keeper, ready[0]);
	}
	close(ready[0]);
	opt->ready_fd = ready[1];
	return true;
}
