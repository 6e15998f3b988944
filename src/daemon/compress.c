/* SPDX-License-Identifier: MIT */
#include "daemon/compress.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/mem.h"
#include "sys/logfile.h"
#include "sys/spawn.h"

#define FILES_MAX   16 /* in one run: more are left only by who rotates faster than gzip works */
#define END_TERM_MS 200
#define END_KILL_MS 300

struct job {
	char path[FILES_MAX][PATH_MAX];
	size_t n;
	char *argv[FILES_MAX + 5];
};

static bool is_plain_file(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* PATH.1, which may be gone again, and what lies uncompressed behind it: the oldest first. */
static void make_job(struct job *j, const struct logfile *f)
{
	static char *const head[] = {"gzip", "-n", "-f", "--"};
	size_t a = ARRAY_LEN(head);
	bool as_user = logfile_is_users(f) && asuser_begin(&f->user);
	for (j->n = 0; j->n < FILES_MAX && (int)j->n < f->keep; j->n++) {
		snprintf(j->path[j->n], PATH_MAX, "%s.%zu", f->path, j->n + 1);
		if (j->n > 0 && !is_plain_file(j->path[j->n])) {
			break;
		}
	}
	if (as_user) {
		asuser_end();
	}
	for (size_t i = 0; i < a; i++) {
		j->argv[i] = head[i];
	}
	for (size_t i = j->n; i-- > 0;) {
		j->argv[a++] = j->path[i];
	}
	j->argv[a] = NULL;
}

static int open_first(const struct logfile *f, int flags)
{
	char path[PATH_MAX];
	bool as_user = logfile_is_users(f);
	if (as_user && !asuser_begin(&f->user)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s.1", f->path);
	int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (as_user) {
		asuser_end();
	}
	return fd;
}

/* A lock for writing: only who may write to the file can hold one. */
static int open_locked(const struct logfile *f)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open_first(f, O_RDWR);
	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool compress_is_running(const struct logfile *f)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd = open_first(f, O_RDONLY);
	bool runs = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	if (fd >= 0) {
		close(fd);
	}
	return runs;
}

static bool wait_end(int pidfd, int ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	return poll(&p, 1, ms) != 0; /* an error: it cannot be waited for */
}

bool compress_has_ended(int pidfd, bool end_it)
{
	if (wait_end(pidfd, 0) || !end_it) {
		return wait_end(pidfd, 0);
	}
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0); /* it takes its output away */
	if (wait_end(pidfd, END_TERM_MS)) {
		return true;
	}
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return wait_end(pidfd, END_KILL_MS);
}

int compress_start(const struct logfile *f)
{
	struct job *job = xcalloc(1, sizeof(*job));
	make_job(job, f);
	int lock = open_locked(f);
	char *envp[] = {(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, NULL};
	struct spawn_req req = {.argv = job->argv,
				.envp = envp,
				.out_fd = -1,
				.err_fd = -1,
				.listen_fds = &lock,
				.nlisten = lock >= 0,
				.channel_fd = -1,
				.umask = -1,
				.nice = 10,
				.set_nice = true,
				.cgroup_fd = -1};
	struct spawn_child child = {.pidfd = -1};
	struct err err;
	if (logfile_is_users(f)) { /* it makes and removes files by name */
		req.set_user = true;
		req.uid = f->user.uid;
		req.gid = f->user.gid;
		req.groups = f->user.groups;
		req.ngroups = f->user.ngroups;
	}
	/* A child of the keeper like all others: nobody needs to wait for it here. */
	if (spawn_start(&req, &child, &err)) {
		close(child.report_fd);
	} else {
		log_line("compress %s.1: %s", f->path, err.msg);
		child.pidfd = -1;
	}
	if (lock >= 0) {
		close(lock);
	}
	free(job);
	return child.pidfd;
}
