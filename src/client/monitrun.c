/* SPDX-License-Identifier: MIT */
#include "client/monitrun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/monitfiles.h"
#include "client/monitsay.h"
#include "common/mem.h"
#include "common/words.h"

#define NAMES 64

/* The names the prompt completes. */
static const char *const *command_names(void)
{
	static const char *names[NAMES];
	size_t n = 0;
	for (size_t i = 0; i < commands_count && n < NAMES - 1; i++) {
		if (!(commands[i].flags & CMD_HIDDEN)) {
			names[n++] = commands[i].name;
		}
	}
	return names;
}

void monitrun_init(struct monitrun *r, struct client *c, struct ui *ui)
{
	*r = (struct monitrun){.c = c, .ui = ui, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	ui->commands = command_names();
}

void monitrun_finish(struct monitrun *r)
{
	struct buf running = {0};
	for (size_t i = 0; i < MONITRUN_MAX; i++) {
		struct monitrun_child *ch = &r->child[i];
		if (ch->pid) {
			buf_addf(&running, "%s%s", running.len ? "; " : "", ch->title);
			close(ch->fd);
			close(ch->pidfd);
		}
		free(ch->sel);
	}
	if (running.len) {
		client_note(r->c, "goes on: %s", running.data);
	}
	buf_finish(&running);
	if (r->epoll_fd > 0) {
		close(r->epoll_fd);
	}
	*r = (struct monitrun){.epoll_fd = -1};
}

/* --- what may run --- */

/* Why a command has no place here; NULL = it has. */
static const char *refuse(const struct command *cmd, const struct args *a)
{
	if (cmd->flags & CMD_HIDDEN) {
		return "that is no command";
	}
	if (cmd->run == cmd_monit) {
		return "this is the dashboard";
	}
	if (cmd->run == cmd_list && args_has(a, "watch")) {
		return "the list is live already";
	}
	if (cmd->run == cmd_logs && args_has(a, "follow")) {
		return "logs that go on are in the log pane: l";
	}
	if (cmd->run == cmd_events && args_has(a, "follow")) {
		return "events that go on are in their pane: e";
	}
	return NULL;
}

static char *join(const struct args *a)
{
	struct buf b = {0};
	buf_adds(&b, "");
	for (size_t i = 0; i < a->n; i++) {
		buf_addf(&b, "%s%s", i ? "," : "", a->operand[i]);
	}
	return buf_take(&b);
}

/* What is wrong with the words is said by the child. */
static const char *look_at(struct monitrun_child *ch, int argc, char **argv)
{
	struct opt_set globals = {global_opts, global_opts_count}, sets[COMMANDS_SETS];
	struct args a = {0};
	struct err err;
	int at = args_find_command(&globals, argc, argv);
	const struct command *cmd = at ? commands_find(argv[at]) : NULL;
	ch->shows = !cmd || !(cmd->flags & CMD_CHANGES);
	ch->plan = cmd && strcmp(cmd->name, "plan") == 0;
	if (!cmd) {
		return NULL;
	}
	char **words = xcalloc((size_t)argc, sizeof(*words));
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (i != at) {
			words[n++] = argv[i];
		}
	}
	unsigned flags = (cmd->flags & CMD_NUMBERS ? ARGS_NUMBERS : 0) |
			 (cmd->flags & CMD_REST ? ARGS_REST : 0);
	const char *why = args_parse(&a, sets, commands_opts(cmd, sets), flags, n, words, &err)
				  ? refuse(cmd, &a)
				  : NULL;
	if (!why && (cmd->run == cmd_reload || cmd->run == cmd_restart)) {
		ch->action = cmd->name;
		ch->sel = join(&a);
	}
	args_finish(&a);
	free(words);
	return why;
}

/* --- starting --- */

/* In the child. It keeps the end of the pipe we read from, so that writing to the other one is no
 * error after we have quit. */
__attribute__((noreturn)) static void become(int read_fd, int write_fd, char **argv)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);
	sigemptyset(&none);
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(write_fd, STDOUT_FILENO);
	dup2(write_fd, STDERR_FILENO);
	fcntl(read_fd, F_SETFD, 0);
	setenv("NO_COLOR", "1", 1);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", argv);
	dprintf(STDERR_FILENO, "pmctl: cannot execute pmctl: %s\n", strerror(errno));
	_exit(1);
}

static void watch(const struct monitrun *r, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

static bool spawn(struct monitrun *r, struct monitrun_child *ch, char **argv)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) != 0) {
		return false;
	}
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	ch->pid = fork();
	if (ch->pid == 0) {
		become(fd[0], fd[1], argv);
	}
	close(fd[1]);
	ch->fd = fd[0];
	ch->pidfd = ch->pid > 0 ? (int)syscall(SYS_pidfd_open, ch->pid, 0) : -1;
	if (ch->pidfd < 0) {
		int saved = errno;
		close(fd[0]);
		ch->pid = 0;
		errno = saved;
		return false;
	}
	watch(r, ch->fd);
	watch(r, ch->pidfd);
	return true;
}

static struct monitrun_child *find_free(struct monitrun *r)
{
	for (size_t i = 0; i < MONITRUN_MAX; i++) {
		if (!r->child[i].pid) {
			return &r->child[i];
		}
	}
	return NULL;
}

/* Rows tell how far it is. */
static void begin_action(struct monitrun *r, const struct monitrun_child *ch)
{
	struct model *m = &r->ui->model;
	struct monitwant want = {0};
	monitwant_parse(&want, ch->action ? ch->sel : "");
	for (int i = 0; i < m->napps; i++) {
		struct ui_app *a = m->app[i];
		for (int k = 0; k < a->nprocs; k++) {
			if (monitwant_has(&want, m, a->name, a->proc[k]->slot)) {
				model_act(a, a->proc[k], ch->pid, ch->action);
			}
		}
	}
	monitwant_finish(&want);
}

static void start(struct monitrun *r, const char *line, struct words *w)
{
	struct monitrun_child *ch = find_free(r);
	if (!ch) {
		ui_say(r->ui, UI_WARN, true, "%d commands run already; wait for one of them",
		       MONITRUN_MAX);
		return;
	}
	free(ch->sel); /* of one that did not start */
	*ch = (struct monitrun_child){0};
	snprintf(ch->title, sizeof(ch->title), "%s", line);
	const char *why = look_at(ch, (int)w->n, w->v);
	if (why) {
		ui_say(r->ui, UI_WARN, true, "%s: %s", ch->title, why);
	} else if (!spawn(r, ch, w->v)) {
		ui_say(r->ui, UI_FAIL, true, "%s: cannot start pmctl: %s", ch->title,
		       strerror(errno));
	} else {
		r->ui->running++;
		begin_action(r, ch);
		ui_say(r->ui, UI_INFO, false, "%s ...", ch->title);
	}
}

void monitrun_start(struct monitrun *r, const char *line)
{
	struct words w = {0};
	struct err err;
	words_add(&w, "pmctl");
	if (r->c->config) {
		words_add(&w, "-c");
		words_add(&w, r->c->config);
	}
	if (words_split(&w, line, &err)) {
		start(r, line, &w);
	} else {
		ui_say(r->ui, UI_FAIL, true, "%s", err.msg);
	}
	words_finish(&w);
}

int monitrun_fd(const struct monitrun *r)
{
	return r->ui && r->ui->running > 0 ? r->epoll_fd : -1;
}

/* --- what comes --- */

/* The newest part is kept, from the beginning of a line on. */
static void take(struct monitrun_child *ch, const char *data, size_t n)
{
	if (ch->len + n >= sizeof(ch->out)) {
		size_t drop = ch->len + n - sizeof(ch->out) + 1;
		drop = drop > ch->len ? ch->len : drop;
		const char *line = memchr(ch->out + drop, '\n', ch->len - drop);
		drop = line ? (size_t)(line - ch->out) + 1 : drop;
		memmove(ch->out, ch->out + drop, ch->len - drop);
		ch->len -= drop;
	}
	memcpy(ch->out + ch->len, data, n);
	ch->len += n;
	ch->out[ch->len] = '\0';
}

static bool read_out(struct monitrun_child *ch)
{
	char chunk[4096];
	bool any = false;
	ssize_t n;
	while ((n = read(ch->fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			chunk[i] = chunk[i] ? chunk[i] : '?';
		}
		take(ch, chunk, (size_t)n);
		any = true;
	}
	return any;
}

static void finish_child(struct monitrun *r, struct monitrun_child *ch)
{
	int status = 0;
	read_out(ch); /* what it said last */
	while (waitpid(ch->pid, &status, 0) < 0 && errno == EINTR) {
	}
	close(ch->fd);
	close(ch->pidfd);
	model_act_end(&r->ui->model, ch->pid);
	free(ch->sel);
	ch->sel = NULL;
	ch->pid = 0;
	r->ui->running--;
	monitsay_end(r->ui, ch, status);
	if (r->ui->model.link != UI_LINK_UP) { /* it may have started the daemon */
		effects_add(&r->ui->effects, EFFECT_RETRY, 0, NULL);
	}
}

bool monitrun_read(struct monitrun *r)
{
	struct epoll_event e[2 * MONITRUN_MAX];
	int n = epoll_wait(r->epoll_fd, e, 2 * MONITRUN_MAX, 0);
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < MONITRUN_MAX; k++) {
			struct monitrun_child *ch = &r->child[k];
			if (ch->pid && e[i].data.fd == ch->fd && !(e[i].events & EPOLLIN)) {
				/* closed it, and is about to end */
				epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, ch->fd, NULL);
			} else if (ch->pid && e[i].data.fd == ch->fd) {
				if (read_out(ch)) {
					monitsay_progress(r->ui, ch);
				}
			} else if (ch->pid && e[i].data.fd == ch->pidfd) {
				finish_child(r, ch);
			}
		}
	}
	return n > 0;
}
