/* SPDX-License-Identifier: MIT */
#include "daemon/notify.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/health.h"
#include "daemon/loopfd.h"
#include "daemon/readiness.h"
#include "daemon/runner.h"
#include "sys/proc.h"

#define MESSAGE 4096
#define TURNS	32 /* datagrams in one wake-up */

struct notify {
	struct inst *in;
	int fd;
	ev_io io;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* The main process, or a descendant of it. */
static bool is_ours(const struct inst *in, pid_t pid)
{
	struct proc_stat st;
	for (int depth = 0; pid > 1 && depth < 32; depth++) {
		if (pid == in->pid) {
			return true;
		}
		if (!proc_read_stat(pid, &st)) {
			return false;
		}
		pid = st.session == in->pid ? in->pid : st.ppid;
	}
	return false;
}

static pid_t sender(struct msghdr *msg)
{
	pid_t pid = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET) {
			continue;
		}
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			pid = cred.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			for (size_t i = 0; i < n; i++) {
				int fd;
				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
				close(fd);
			}
		}
	}
	return pid;
}

static void take(struct inst *in, char *text)
{
	char *save = NULL;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (strcmp(l, "READY=1") == 0) {
			readiness_sign(in, SIGN_NOTIFY);
		} else if (strcmp(l, "WATCHDOG=1") == 0) {
			health_sign(in, false);
		} else if (strcmp(l, "WATCHDOG=trigger") == 0) {
			health_sign(in, true);
		} else if (strncmp(l, "STATUS=", 7) == 0) {
			runner_note(in, l + 7);
		}
	}
}

static void on_datagram(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	struct notify *n = container_of(w, struct notify, io);
	for (int i = 0; i < TURNS; i++) {
		char text[MESSAGE + 1];
		union {
			char buf[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 253)];
			struct cmsghdr align;
		} control;
		struct iovec iov = {.iov_base = text, .iov_len = MESSAGE};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control.buf,
				     .msg_controllen = sizeof(control.buf)};
		ssize_t len = recvmsg(n->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (len < 0) {
			return;
		}
		pid_t pid = sender(&msg);
		if (len == 0 || (msg.msg_flags & MSG_TRUNC) || !is_ours(n->in, pid)) {
			continue;
		}
		text[len] = '\0';
		take(n->in, text);
	}
}

/*
 * A socket in the runtime directory (0700) is out of reach for an app with another uid; those
 * sockets live in a sibling directory that lets others pass but not look.
 */
static bool make_path(struct notify *n, const struct daemon *d, uid_t owner, struct err *err)
{
	char dir[sizeof(n->path)];
	bool foreign = owner != geteuid();
	snprintf(dir, sizeof(dir), "%s%s", d->paths.runtime, foreign ? ".notify" : "/notify");
	if (mkdir(dir, foreign ? 0711 : 0700) != 0 && errno != EEXIST) {
		return err_sys(err, "make directory %s", dir);
	}
	struct stat st;
	if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		return err_set(err, ERR_FAILED, "%s is not a directory of ours", dir);
	}
	if (foreign && chmod(dir, 0711) != 0) {
		return err_sys(err, "set the mode of %s", dir);
	}
	int len = snprintf(n->path, sizeof(n->path), "%s/%llu-%u.sock", dir,
			   (unsigned long long)n->in->id, n->in->run);
	return len < (int)sizeof(n->path) ||
	       err_set(err, ERR_FAILED, "the path of the notify socket is too long: %s", dir);
}

static bool open_socket(struct notify *n, uid_t owner, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int on = 1;
	memcpy(sa.sun_path, n->path, sizeof(sa.sun_path));
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0) {
		return err_sys(err, "notify socket");
	}
	unlink(n->path);
	if (fchmod(n->fd, 0600) != 0 || bind(n->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    setsockopt(n->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
		return err_sys(err, "notify socket %s", n->path);
	}
	if (owner != geteuid() && lchown(n->path, owner, (gid_t)-1) != 0) {
		return err_sys(err, "give %s to uid %u", n->path, (unsigned)owner);
	}
	return true;
}

static void held_name(const struct inst *in, char out[KEEPER_NAME])
{
	snprintf(out, KEEPER_NAME, "ntfy.%llu-%u", (unsigned long long)in->id, in->run);
}

struct notify *notify_adopt(struct inst *in, uid_t owner, int fd)
{
	struct err ignored;
	struct notify *n = xcalloc(1, sizeof(*n));
	n->in = in;
	n->fd = fd;
	make_path(n, in->app->daemon, owner, &ignored);
	ev_io_init(&n->io, on_datagram, fd, EV_READ);
	ev_io_start(in->app->daemon->loop, &n->io);
	return n;
}

struct notify *notify_new(struct inst *in, uid_t owner, struct err *err)
{
	struct notify *n = xcalloc(1, sizeof(*n));
	n->in = in;
	n->fd = -1;
	ev_init(&n->io, on_datagram);
	if (!make_path(n, in->app->daemon, owner, err) || !open_socket(n, owner, err)) {
		notify_free(n);
		return NULL;
	}
	notify_deposit(n);
	ev_io_set(&n->io, n->fd, EV_READ);
	ev_io_start(in->app->daemon->loop, &n->io);
	return n;
}

void notify_deposit(const struct notify *n)
{
	char name[KEEPER_NAME];
	held_name(n->in, name);
	link_deposit(&n->in->app->daemon->link, name, n->fd);
}

const char *notify_path(const struct notify *n)
{
	return n->path;
}

void notify_free(struct notify *n)
{
	if (!n) {
		return;
	}
	ev_io_stop(n->in->app->daemon->loop, &n->io);
	if (n->fd >= 0) {
		char name[KEEPER_NAME];
		held_name(n->in, name);
		link_drop(&n->in->app->daemon->link, name);
		loopfd_close(n->in->app->daemon->loop, n->fd);
		unlink(n->path);
	}
	free(n);
}
