/* SPDX-License-Identifier: MIT */
#include "client/monitpage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/logview.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "ui/logtext.h"

#define FILES_MAX 200 /* given to a pager */

/* --- into a file --- */

static void add_line(struct buf *out, const struct logpane *p, const struct logpane_line *l,
		     struct logtext *t)
{
	char hms[CLOCK_HMS], name[MODEL_NAME + 16];
	logtext_make(t, p, l);
	if (p->times) {
		clock_format_local(l->t_ms, hms);
		buf_addf(out, "%s%c ", hms, l->err ? '!' : ' ');
	}
	if (p->several) {
		logview_name(l->app, l->slot, name, sizeof(name));
		buf_addf(out, "%-*s ", p->name_width, name);
	}
	buf_add(out, t->text.data, t->text.len);
	buf_addc(out, '\n');
}

static int add_lines(struct buf *out, struct logpane *p)
{
	struct logtext t = {0};
	int n = 0;
	for (uint64_t i = p->first; i < p->end; i++) {
		if (logpane_shows(p, i)) {
			add_line(out, p, logpane_get(p, i), &t);
			n++;
		}
	}
	logtext_finish(&t);
	return n;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

void monitpage_save(struct ui *ui, const char *path)
{
	struct buf out = {0};
	const char *home = getenv("HOME");
	char *full = strncmp(path, "~/", 2) == 0 && home ? xasprintf("%s%s", home, path + 1)
							 : xstrdup(path);
	int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		ui_say(ui, UI_FAIL, true, "%s: %s", full, strerror(errno));
		free(full);
		return;
	}
	int n = add_lines(&out, &ui->logs);
	bool ok = write_all(fd, out.data, out.len);
	ok = close(fd) == 0 && ok;
	if (ok) {
		ui_say(ui, UI_OK, false, "%d line%s written to %s", n, n == 1 ? "" : "s", full);
	} else {
		ui_say(ui, UI_FAIL, true, "%s: %s", full, strerror(errno));
	}
	buf_finish(&out);
	free(full);
}

/* --- the pager --- */

static void be_pager(char **argv)
{
	static const int ours[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD, SIGINT, SIGTERM,
				   SIGHUP,   SIGTTOU, SIGTTIN, SIGPIPE, SIGQUIT};
	sigset_t none;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		signal(ours[i], SIG_DFL);
	}
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/bin/sh", argv);
	_exit(127);
}

static void give_terminal(pid_t group)
{
	void (*old)(int) = signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(STDIN_FILENO, group);
	signal(SIGTTOU, old);
}

/* Ctrl-C is for the pager alone, so it has a process group; one that stops is let go on. */
static int run(char **argv)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		give_terminal((setpgid(0, 0), getpid()));
		be_pager(argv);
	}
	if (pid < 0) {
		return -1;
	}
	setpgid(pid, pid);
	give_terminal(pid);
	for (;;) {
		pid_t got = waitpid(pid, &status, WUNTRACED);
		if (got == pid && WIFSTOPPED(status)) {
			give_terminal(pid);
			kill(-pid, SIGCONT);
		} else if (got == pid || errno != EINTR) {
			break;
		}
	}
	give_terminal(getpgrp());
	return status;
}

void monitpage_page(struct ui *ui, const struct monitfiles *files)
{
	char *const first[] = {(char[]){"sh"}, (char[]){"-c"},
			       (char[]){"exec ${PAGER:-less -R} \"$@\""}, (char[]){"pager"}};
	char *argv[ARRAY_LEN(first) + FILES_MAX + 1];
	size_t n = ARRAY_LEN(first);
	memcpy(argv, first, sizeof(first));
	for (size_t i = 0; i < files->n && n < ARRAY_LEN(argv) - 1; i++) {
		bool again = false;
		for (size_t k = ARRAY_LEN(first); k < n; k++) {
			again |= strcmp(argv[k], files->v[i].path) == 0;
		}
		if (!again && access(files->v[i].path, R_OK) == 0) {
			argv[n++] = files->v[i].path;
		}
	}
	argv[n] = NULL;
	if (n == ARRAY_LEN(first)) {
		ui_say(ui, UI_WARN, false, "no log files to show");
		return;
	}
	int status = run(argv);
	if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
		ui_say(ui, UI_FAIL, true, "cannot run the pager; set PAGER");
	}
}
