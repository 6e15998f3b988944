/* SPDX-License-Identifier: MIT */
#include "client/remote.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "common/words.h"

#define SSH_FAILED 255 /* of ssh itself */
#define NOT_FOUND  127 /* of the shell there */
#define COMPLETE_S 3   /* a completion waits no longer */

extern char **environ;

static volatile sig_atomic_t ssh_pid;

static void pass_on(int sig)
{
	int saved = errno;
	if (ssh_pid > 0) {
		kill((pid_t)ssh_pid, sig);
	}
	errno = saved;
}

static void give_up(int sig)
{
	(void)sig;
	pass_on(SIGTERM);
}

/* Of the option, or its value as a word of its own. */
static bool is_of_host(const struct client *c, const char *word)
{
	for (size_t i = 0; i < c->args.ngiven; i++) {
		const struct given *g = &c->args.given[i];
		if (g->opt->name && strcmp(g->opt->name, "host") == 0 &&
		    (word == g->word || word == g->value)) {
			return true;
		}
	}
	return false;
}

/* The command line for the shell there. Colour is decided there, too, and our environment is not
 * there. *input: whether a word says that something is read from us. */
static char *command_line(const struct client *c, bool *input)
{
	struct buf out = {0};
	const char *no_color = getenv("NO_COLOR");
	buf_adds(&out, "pmctl");
	if (no_color && no_color[0] && !args_has(&c->args, "color")) {
		buf_adds(&out, " --color=never");
	}
	*input = false;
	for (char **w = c->argv + 1; *w; w++) {
		if (!is_of_host(c, *w)) {
			buf_addc(&out, ' ');
			words_add_quoted(&out, *w);
			*input |= strcmp(*w, "-") == 0 || strcmp(*w, "-c-") == 0 ||
				  strcmp(*w, "--config=-") == 0;
		}
	}
	return buf_take(&out);
}

static bool check_host(const char *host, struct err *err)
{
	if (!host[0] || host[0] == '-') {
		return err_set(err, ERR_USAGE,
			       "--host: \"%.60s\" is no host; use HOST or USER@HOST", host);
	}
	for (const char *s = host; *s; s++) {
		if (isspace((unsigned char)*s) || iscntrl((unsigned char)*s)) {
			return err_set(err, ERR_USAGE,
				       "--host: \"%.60s\" has a blank in it; use HOST or USER@HOST",
				       host);
		}
	}
	return true;
}

/* The terminal's signals are for ssh, which runs in our process group; others are passed on. After
 * `limit_s` it is ended (0 = never). */
static int wait_for(pid_t pid, unsigned limit_s)
{
	int status;
	struct sigaction pass = {.sa_handler = pass_on}, late = {.sa_handler = give_up};
	ssh_pid = pid;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigaction(SIGTERM, &pass, NULL);
	sigaction(SIGHUP, &pass, NULL);
	sigaction(SIGALRM, &late, NULL);
	alarm(limit_s);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -1;
		}
	}
	ssh_pid = 0;
	return status;
}

/* A terminal there if all of us is one: then progress, colour, keys and Ctrl-C are as here. */
static bool wants_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

/* -1 with the reason. */
static int run_ssh(struct client *c, const char *host, struct err *err)
{
	bool input, terminal = wants_terminal();
	char *line = command_line(c, &input);
	const char *argv[10] = {"ssh"};
	size_t n = 1;
	pid_t pid;
	if (terminal) {
		argv[n++] = "-t";
		argv[n++] = "-oLogLevel=ERROR"; /* no "Connection closed" */
	} else {
		argv[n++] = "-T";
	}
	if (!terminal && !input) {
		argv[n++] = "-n"; /* of a loop over lines it would take them all */
	}
	bool completes = c->cmd->flags & CMD_HIDDEN;
	if (completes) { /* asks nobody for a password */
		argv[n++] = "-oBatchMode=yes";
		argv[n++] = "-oConnectTimeout=2";
	}
	argv[n++] = "--";
	argv[n++] = host;
	argv[n++] = line;
	int r = posix_spawnp(&pid, "ssh", NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	free(line);
	if (r != 0) {
		errno = r;
		err_sys(err, "--host needs ssh, which cannot be run");
		return -1;
	}
	int status = wait_for(pid, completes ? COMPLETE_S : 0);
	if (status < 0) {
		err_sys(err, "wait for ssh");
	}
	return status;
}

int remote_run(struct client *c, const struct given *host)
{
	struct err err;
	if (!check_host(host->value, &err)) {
		return client_fail(c, &err, NULL);
	}
	int status = run_ssh(c, host->value, &err);
	if (status < 0) {
		err.code = ERR_NO_DAEMON;
		return client_fail(c, &err, NULL);
	}
	if (WIFSIGNALED(status)) {
		return 128 + WTERMSIG(status);
	}
	if (WEXITSTATUS(status) == SSH_FAILED && client_is_unread()) {
		return 128 + SIGPIPE;
	}
	if (WEXITSTATUS(status) == SSH_FAILED) {
		err_set(&err, ERR_NO_DAEMON, "%.200s was not reached, or the connection was lost",
			host->value);
		return client_fail(c, &err, "ssh says more above; try: ssh HOST true");
	}
	if (WEXITSTATUS(status) == NOT_FOUND) {
		err_set(&err, ERR_NO_DAEMON, "there is no pmctl in the PATH of %.200s",
			host->value);
		return client_fail(c, &err, "see: ssh HOST 'echo $PATH; command -v pmctl'");
	}
	return WEXITSTATUS(status);
}
