/* SPDX-License-Identifier: MIT */
#include "daemon/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/signals.h"
#include "daemon/daemon.h"
#include "daemon/loopfd.h"
#include "daemon/selfcheck.h"
#include "proto/jw.h"
#include "proto/rpc.h"
#include "version.h"

#define CHECK_S	   5.	/* a self-check that takes longer hangs */
#define POLL_S	   0.02 /* while operations are under way */
#define BUSY_MS	   60000
#define MAX_SAID   2000
#define FLUSH_MS   200
#define SCRIPT_MSG "not a program pmctld can execute (is it a script?)"

extern char **environ;

/* --- the answer --- */

static struct conn *asker_conn(struct upgrade *u)
{
	return u->serial ? server_find(&u->daemon->server, u->serial) : NULL;
}

static void clear(struct upgrade *u)
{
	struct ev_loop *loop = u->daemon->loop;
	ev_timer_stop(loop, &u->timer);
	ev_io_stop(loop, &u->exit_io);
	if (ev_is_active(&u->said_io)) {
		ev_io_stop(loop, &u->said_io);
		loopfd_close(loop, u->said_io.fd);
	}
	if (u->pidfd >= 0) {
		loopfd_close(loop, u->pidfd);
	}
	if (u->fd >= 0) {
		close(u->fd);
	}
	json_decref(u->id);
	free(u->path);
	buf_finish(&u->said);
	*u = (struct upgrade){.daemon = u->daemon,
			      .fd = -1,
			      .pidfd = -1,
			      .exit_io = u->exit_io,
			      .said_io = u->said_io,
			      .timer = u->timer};
}

static void refuse(struct upgrade *u, const char *why)
{
	struct conn *c = asker_conn(u);
	struct buf out = {0};
	struct err err;
	err_set(&err, ERR_FAILED, "not upgraded, nothing was changed: %.200s: %.500s", u->path,
		why);
	events_add(&u->daemon->events, NULL, -1, "upgrade", u->by.pid ? &u->by : NULL, "%s",
		   err.msg);
	if (c) {
		rpc_write_error(&out, u->id, &err, NULL);
		conn_send(c, out.data, out.len);
		buf_finish(&out);
		c->busy--;
	}
	clear(u);
}

static void accept_it(struct upgrade *u)
{
	struct conn *c = asker_conn(u);
	struct buf out = {0};
	struct jw w;
	if (!c) {
		return;
	}
	rpc_write_result_begin(&out, u->id);
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "from", PMCTL_VERSION);
	jw_kstr(&w, "to", u->version);
	jw_kstr(&w, "program", u->path);
	jw_end(&w);
	rpc_write_result_end(&out);
	conn_send(c, out.data, out.len);
	buf_finish(&out);
}

/* --- the handover --- */

static void hand_over(struct upgrade *u)
{
	struct daemon *d = u->daemon;
	if (!link_try(&d->link, u->fd)) { /* nobody would start the next one */
		char why[200];
		snprintf(why, sizeof(why), "the keeper cannot be told: %s", strerror(errno));
		refuse(u, why);
		return;
	}
	events_add(&d->events, NULL, -1, "upgrade", u->by.pid ? &u->by : NULL,
		   "pmctld %s (%s) takes over from %s", u->version, u->path, PMCTL_VERSION);
	accept_it(u);
	server_flush(&d->server, FLUSH_MS);
	outputs_settle(&d->outputs, false);
	/* No tear-down: whoever takes over finds everything as after a crash. */
	_exit(0);
}

static void wait_for_operations(struct upgrade *u)
{
	struct err err;
	if (!u->daemon->link.alive) {
		refuse(u, "the keeper was killed and is being replaced; try again");
	} else if (u->daemon->stopping) {
		refuse(u, "pmctld is ending");
	} else if (!ops_is_busy(&u->daemon->ops)) {
		if (store_is_safe(&u->daemon->store, &err)) {
			hand_over(u);
		} else {
			refuse(u, err.msg);
		}
	} else if (clock_mono_ms() >= u->give_up) {
		refuse(u, "a start, stop or reload has been under way for a minute");
	} else {
		ev_timer_set(&u->timer, POLL_S, 0.);
		ev_timer_start(u->daemon->loop, &u->timer);
	}
}

/* --- the self-check --- */

/* How to come to it all the same: a keeper at rest leaves the apps to a program it cannot become
 * (keeper/keeper.c), and to no other than what stands where ours did. */
static void refuse_protocol(struct upgrade *u, unsigned protocol)
{
	const struct ring *ring = u->daemon->link.ring;
	bool in_place = strcmp(u->path, ring->program) == 0;
	char why[500];
	int n = snprintf(why, sizeof(why),
			 "pmctld %s cannot take over in place (keeper protocol %u, not %u); ",
			 u->version, protocol, KEEPER_PROTOCOL);
	char *rest = why + n;
	size_t cap = sizeof(why) - (size_t)n;
	if (ring->foreground) {
		snprintf(rest, cap, "restart the service or container, and the apps with it");
	} else {
		snprintf(rest, cap,
			 "with the apps running: %s%.200s%spmctl daemon stop --leave-running && "
			 "pmctl daemon start",
			 in_place ? "" : "install it as ", in_place ? "" : ring->program,
			 in_place ? "" : ", then ");
	}
	refuse(u, why);
}

static void judge_line(struct upgrade *u)
{
	unsigned protocol = 0;
	if (sscanf(u->said.data ? u->said.data : "", SELFCHECK_LINE, u->version, &protocol) != 2) {
		refuse(u, "it is not pmctld: its self-check says nothing we know");
		return;
	}
	if (protocol != KEEPER_PROTOCOL) {
		refuse_protocol(u, protocol);
		return;
	}
	log_line("upgrade: %s is pmctld %s and content", u->path, u->version);
	u->give_up = clock_mono_ms() + BUSY_MS;
	wait_for_operations(u);
}

static void judge(struct upgrade *u, int status)
{
	char why[MAX_SAID + 100], name[SIGNALS_NAME];
	if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "its self-check was killed by %s",
			 signals_name(WTERMSIG(status), name));
	} else if (WEXITSTATUS(status) != 0) {
		char *text = u->said.data ? u->said.data : "";
		text[strcspn(text, "\n")] = '\0';
		snprintf(why, sizeof(why), "its self-check fails: %s",
			 text[0] ? text : "without a word");
	} else {
		judge_line(u);
		return;
	}
	refuse(u, why);
}

static void read_said(struct upgrade *u)
{
	char chunk[512];
	ssize_t n;
	while ((n = read(u->said_io.fd, chunk, sizeof(chunk))) > 0) {
		if (u->said.len < MAX_SAID) {
			buf_add(&u->said, chunk, (size_t)n);
		}
	}
	if (n == 0) {
		ev_io_stop(u->daemon->loop, &u->said_io);
		loopfd_close(u->daemon->loop, u->said_io.fd);
	}
}

static void on_said(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	read_said(container_of(w, struct upgrade, said_io));
}

static void on_checked(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	struct upgrade *u = container_of(w, struct upgrade, exit_io);
	int status = 0;
	ev_io_stop(loop, w);
	ev_timer_stop(loop, &u->timer);
	while (waitpid(u->pid, &status, 0) < 0 && errno == EINTR) {
	}
	u->pid = 0;
	if (ev_is_active(&u->said_io)) {
		read_said(u);
	}
	judge(u, status);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct upgrade *u = container_of(w, struct upgrade, timer);
	if (u->pid) {
		syscall(SYS_pidfd_send_signal, u->pidfd, SIGKILL, NULL, 0);
		buf_reset(&u->said);
		return; /* on_checked() follows */
	}
	wait_for_operations(u);
}

/* In the child between fork and exec: system calls only. */
static void exec_check(const struct upgrade *u, int out)
{
	char *argv[] = {(char[]){"pmctld"}, (char[]){"--self-check"}, NULL};
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_execveat, u->fd, "", argv, environ, AT_EMPTY_PATH);
	const char *why = errno == ENOENT ? SCRIPT_MSG : strerror(errno);
	(void)!write(out, why, strlen(why));
	_exit(1);
}

static bool start_check(struct upgrade *u, struct err *err)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) != 0) {
		return err_sys(err, "pipe");
	}
	u->pid = fork();
	if (u->pid == 0) {
		exec_check(u, p[1]);
	}
	close(p[1]);
	u->pidfd = u->pid > 0 ? (int)syscall(SYS_pidfd_open, u->pid, 0) : -1;
	if (u->pidfd < 0) {
		err_sys(err, "start the self-check of %s", u->path);
		close(p[0]);
		if (u->pid > 0) {
			kill(u->pid, SIGKILL);
			waitpid(u->pid, NULL, 0);
		}
		return false;
	}
	struct ev_loop *loop = u->daemon->loop;
	ev_io_set(&u->said_io, p[0], EV_READ);
	ev_io_start(loop, &u->said_io);
	ev_io_set(&u->exit_io, u->pidfd, EV_READ);
	ev_io_start(loop, &u->exit_io);
	ev_timer_set(&u->timer, CHECK_S, 0.);
	ev_timer_start(loop, &u->timer);
	return true;
}

/* --- the beginning --- */

/* What root executes must not be writable by others. */
static bool check_file(const struct upgrade *u, struct err *err)
{
	struct stat st;
	if (fstat(u->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		return err_set(err, ERR_FAILED, "%s is not a file", u->path);
	}
	if (!(st.st_mode & 0111)) {
		return err_set(err, ERR_FAILED, "%s is not executable; fix: chmod 755 %s", u->path,
			       u->path);
	}
	if (geteuid() == 0 && (st.st_uid != 0 || (st.st_mode & 022))) {
		return err_set(err, ERR_PERMISSION,
			       "%s may be written by others than root (uid %u, mode %03o)", u->path,
			       (unsigned)st.st_uid, (unsigned)st.st_mode & 0777);
	}
	return true;
}

static bool open_program(struct upgrade *u, const char *path, struct err *err)
{
	const char *own = u->daemon->link.ring->program;
	if (!path && !own[0]) {
		return err_set(err, ERR_FAILED, "where pmctld was is not known; name the program");
	}
	path = path ? path : own;
	if (path[0] != '/') {
		return err_set(err, ERR_USAGE, "\"%.200s\" is not an absolute path", path);
	}
	u->path = xstrdup(path);
	u->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return u->fd >= 0 || err_sys(err, "open %s", path);
}

bool upgrade_begin(struct upgrade *u, const char *path, const struct asker *by, uint64_t serial,
		   const json_t *id, struct err *err)
{
	if (u->fd >= 0) {
		return err_set(err, ERR_FAILED, "an upgrade is under way already");
	}
	if (!store_is_safe(&u->daemon->store, err) || !open_program(u, path, err) ||
	    !check_file(u, err) || !start_check(u, err)) {
		err_wrap(err, "not upgraded, nothing was changed");
		events_add(&u->daemon->events, NULL, -1, "upgrade", by->pid ? by : NULL, "%s",
			   err->msg);
		clear(u);
		return false;
	}
	u->by = *by;
	u->serial = serial;
	u->id = json_incref((json_t *)(uintptr_t)id);
	return true;
}

void upgrade_tell(struct daemon *d)
{
	struct upgrade_note *note = &d->link.ring->upgrade;
	uint32_t state = atomic_load(&note->state);
	if (state == UPGRADE_ROLLED_BACK && !note->told) {
		note->told = 1;
		events_add(&d->events, NULL, -1, "upgrade", NULL,
			   "rolled back to pmctld %s, no app was touched: %s", PMCTL_VERSION,
			   note->why);
	}
}

void upgrade_init(struct upgrade *u, struct daemon *d)
{
	*u = (struct upgrade){.daemon = d, .fd = -1, .pidfd = -1};
	ev_init(&u->exit_io, on_checked);
	ev_init(&u->said_io, on_said);
	ev_init(&u->timer, on_timer);
}

void upgrade_finish(struct upgrade *u)
{
	if (u->daemon) {
		clear(u);
	}
}
