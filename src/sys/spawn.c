/* SPDX-License-Identifier: MIT */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/stub.h"
#include "version.h"

#define CHILD_STACK (32 * 1024)
#define MAX_FDS	    72

#define MOVED "../libexec/pmctl"

static int stub_fd = -1;
static int null_fd = -1;

/* What the child needs, prepared before the clone: it may only make system calls. */
struct launch {
	char *const *argv;
	char *const *envp;
	int fds[MAX_FDS]; /* fds[i] becomes descriptor i of the stub */
	int nfds;
	int error; /* errno of a failed step, written by the child */
};

static bool open_stub(const char *dir, const char *sub)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/%spmctl-exec", dir, sub) >= (int)sizeof(path)) {
		return false;
	}
	if (access(path, X_OK) != 0) {
		return false;
	}
	stub_fd = open(path, O_PATH | O_CLOEXEC);
	return stub_fd >= 0;
}

/* The directory our program is in. */
static const char *own_directory(void)
{
	static char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(dir, '/');
	if (slash) {
		*slash = '\0';
	}
	return dir;
}

char *spawn_find_file(const char *name)
{
	/* Beside us, below the same prefix wherever that was moved to, where it was to be
	 * installed. */
	const char *const places[][2] = {
		{own_directory(), ""}, {own_directory(), "/" MOVED}, {PMCTL_LIBEXECDIR, ""}};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = xasprintf("%s%s/%s", places[i][0], places[i][1], name);
		if (access(path, R_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}

bool spawn_init(struct err *err)
{
	const char *dir = own_directory();
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0) {
		return err_sys(err, "open /dev/null");
	}
	if (!open_stub(dir, "") && !open_stub(dir, "../sys/") && !open_stub(dir, MOVED "/") &&
	    !open_stub(PMCTL_LIBEXECDIR, "")) {
		return err_set(err, ERR_FAILED, "pmctl-exec is neither beside %s/pmctld nor in %s",
			       dir, PMCTL_LIBEXECDIR);
	}
	return true;
}

static void add_option(struct words *w, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add_option(struct words *w, const char *option, const char *fmt, ...)
{
	char value[PATH_MAX + 64];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	words_add(w, option);
	words_add(w, value);
}

static void add_limits(struct words *w, const struct spawn_req *req)
{
	for (size_t i = 0; i < req->nlimits; i++) {
		const struct spawn_limit *l = &req->limits[i];
		char soft[24] = "-1", hard[24] = "-1";
		if (l->soft != UINT64_MAX) {
			snprintf(soft, sizeof(soft), "%llu", (unsigned long long)l->soft);
		}
		if (l->hard != UINT64_MAX) {
			snprintf(hard, sizeof(hard), "%llu", (unsigned long long)l->hard);
		}
		add_option(w, "-r", "%d:%s:%s:%s", l->resource, l->name, soft, hard);
	}
}

static void add_user(struct words *w, const struct spawn_req *req)
{
	if (!req->set_user) {
		return;
	}
	char groups[256 * 11] = "";
	size_t len = 0;
	for (size_t i = 0; i < req->ngroups && i < 256; i++) {
		len += (size_t)snprintf(groups + len, sizeof(groups) - len, "%s%u", i ? "," : "",
					(unsigned)req->groups[i]);
	}
	add_option(w, "-s", "%s", groups);
	add_option(w, "-g", "%u", (unsigned)req->gid);
	add_option(w, "-u", "%u", (unsigned)req->uid);
}

static void stub_argv(struct words *w, const struct spawn_req *req)
{
	words_add(w, "pmctl-exec");
	if (req->nlisten) {
		add_option(w, "-l", "%zu", req->nlisten);
	}
	if (req->channel_fd >= 0) {
		add_option(w, "-n", "1");
	}
	add_limits(w, req);
	if (req->set_nice) {
		add_option(w, "-i", "%d", req->nice);
	}
	if (req->affinity) {
		add_option(w, "-a", "%s", req->affinity);
	}
	if (req->oom_score_adj) {
		add_option(w, "-o", "%s", req->oom_score_adj);
	}
	add_user(w, req);
	if (req->umask >= 0) {
		add_option(w, "-m", "%o", (unsigned)req->umask);
	}
	if (req->cwd) {
		add_option(w, "-d", "%s", req->cwd);
	}
	if (req->script) {
		add_option(w, "-f", "%s", req->script);
	}
	if (req->env_file) {
		add_option(w, "-b", "%zu", req->nbase);
		add_option(w, "-e", "%s", req->env_file);
	}
	words_add(w, "--");
	for (size_t i = 0; req->argv[i]; i++) {
		words_add(w, req->argv[i]);
	}
}

/*
 * Runs on the parent's memory while the parent is held (CLONE_VM | CLONE_VFORK): system calls
 * only. Sources are first lifted above all targets, so that no target overwrites a source.
 */
__attribute__((no_sanitize("address"), noinline)) static int child_main(void *arg)
{
	struct launch *l = arg;
	int lifted[MAX_FDS];
	for (int i = 0; i < l->nfds; i++) {
		lifted[i] = fcntl(l->fds[i], F_DUPFD_CLOEXEC, MAX_FDS);
		if (lifted[i] < 0) {
			l->error = errno;
			_exit(127);
		}
	}
	for (int i = 0; i < l->nfds; i++) {
		if (dup2(lifted[i], i) < 0) {
			l->error = errno;
			_exit(127);
		}
	}
	syscall(SYS_execveat, stub_fd, "", l->argv, l->envp, AT_EMPTY_PATH);
	l->error = errno;
	_exit(127);
}

/* clone3(2) with its own stack; glibc has no wrapper. Returns the pid or -errno. */
static long clone3_call(struct clone_args *args, struct launch *l)
{
#if defined(__x86_64__)
	register long ret __asm__("rax") = SYS_clone3;
	register struct clone_args *a __asm__("rdi") = args;
	register size_t size __asm__("rsi") = sizeof(*args);
	register int (*fn)(void *) __asm__("r12") = child_main;
	register void *arg __asm__("r13") = l;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "1:"
			 : "+r"(ret)
			 : "r"(a), "r"(size), "r"(fn), "r"(arg)
			 : "rcx", "r11", "memory", "cc");
	return ret;
#else
	(void)args;
	(void)l;
	return -ENOSYS;
#endif
}

static bool clone3_missing(long ret)
{
	return ret == -ENOSYS || ret == -EPERM || ret == -EINVAL || ret == -E2BIG;
}

static long clone_child(const struct spawn_req *req, struct launch *l, int *pidfd,
			bool *cgroup_joined)
{
	static char stack[CHILD_STACK] __attribute__((aligned(64)));
	static bool have_clone3 = true;
	unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
	flags |= req->as_own_child ? 0 : CLONE_PARENT;
	if (have_clone3) {
		struct clone_args args = {
			.flags = flags | (req->cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
			.pidfd = (uint64_t)(uintptr_t)pidfd,
			.exit_signal = req->as_own_child ? SIGCHLD : 0,
			.stack = (uint64_t)(uintptr_t)stack,
			.stack_size = sizeof(stack),
			.cgroup = req->cgroup_fd >= 0 ? (uint64_t)req->cgroup_fd : 0,
		};
		*cgroup_joined = req->cgroup_fd >= 0;
		long ret = clone3_call(&args, l);
		if (!clone3_missing(ret)) {
			return ret;
		}
		have_clone3 = ret != -ENOSYS;
	}
	*cgroup_joined = false;
	int pid = clone(child_main, stack + sizeof(stack),
			(int)flags | (req->as_own_child ? SIGCHLD : 0), l, pidfd);
	return pid < 0 ? -errno : pid;
}

static bool fill_fds(struct launch *l, const struct spawn_req *req, int report, struct err *err)
{
	if (req->nlisten + 8 > MAX_FDS) {
		return err_set(err, ERR_LIMIT, "too many listening sockets");
	}
	l->fds[l->nfds++] = null_fd;
	l->fds[l->nfds++] = req->out_fd >= 0 ? req->out_fd : null_fd;
	l->fds[l->nfds++] = req->err_fd >= 0 ? req->err_fd : null_fd;
	l->fds[l->nfds++] = report;
	for (size_t i = 0; i < req->nlisten; i++) {
		l->fds[l->nfds++] = req->listen_fds[i];
	}
	if (req->channel_fd >= 0) {
		l->fds[l->nfds++] = req->channel_fd;
		l->fds[l->nfds++] = req->spare_fd;
	}
	return true;
}

/* Without CLONE_INTO_CGROUP: nearly the same, the stub is still on its way to the program. */
static void join_cgroup(int cgroup_fd, pid_t pid)
{
	int fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		dprintf(fd, "%d", (int)pid);
		close(fd);
	}
}

static bool launch(const struct spawn_req *req, int report, struct spawn_child *out,
		   struct err *err)
{
	struct launch l = {.envp = req->envp};
	if (!fill_fds(&l, req, report, err)) {
		return false;
	}
	struct words argv = {0};
	stub_argv(&argv, req);
	l.argv = argv.v;
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	bool joined;
	long pid = clone_child(req, &l, &out->pidfd, &joined);
	sigprocmask(SIG_SETMASK, &old, NULL);
	words_finish(&argv);
	if (pid < 0) {
		return err_set(err, pid == -EAGAIN || pid == -ENOMEM ? ERR_LIMIT : ERR_SYSTEM,
			       "cannot fork: %s", strerror((int)-pid));
	}
	fcntl(out->pidfd, F_SETFD, FD_CLOEXEC);
	out->pid = (pid_t)pid;
	if (req->cgroup_fd >= 0 && !joined) {
		join_cgroup(req->cgroup_fd, out->pid);
	}
	if (l.error) {
		errno = l.error;
		err_sys(err, "exec %s", req->argv[0]);
		close(out->pidfd);
		if (req->as_own_child) {
			waitpid(out->pid, NULL, 0); /* it has ended, and no keeper reaps it */
		}
		return false;
	}
	return true;
}

bool spawn_start(const struct spawn_req *req, struct spawn_child *out, struct err *err)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
		return err_set(err, ERR_LIMIT, "pipe: %s", strerror(errno));
	}
	*out = (struct spawn_child){.pid = -1, .pidfd = -1, .report_fd = report[0]};
	bool ok = launch(req, report[1], out, err);
	close(report[1]);
	if (!ok) {
		close(report[0]);
	}
	return ok;
}

static const char *const stage_texts[STAGE_COUNT] = {
	[STAGE_NONE] = "start",		 [STAGE_LIMIT] = "set",
	[STAGE_NICE] = "set nice value", [STAGE_AFFINITY] = "set cpu affinity",
	[STAGE_GROUP] = "set group",	 [STAGE_USER] = "set user",
	[STAGE_CHDIR] = "chdir",	 [STAGE_ENV_FILE] = "read env_file",
	[STAGE_SCRIPT] = "read script",	 [STAGE_STDIO] = "set up descriptors",
	[STAGE_EXEC] = "exec",
};

int spawn_read_report(int report_fd, struct err *err)
{
	struct stub_report r;
	ssize_t n;
	do {
		n = read(report_fd, &r, sizeof(r));
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return errno == EAGAIN ? 0 : 1;
	}
	if (n != sizeof(r)) {
		return 1;
	}
	r.detail[sizeof(r.detail) - 1] = '\0';
	const char *stage = r.stage > 0 && r.stage < STAGE_COUNT ? stage_texts[r.stage] : "start";
	err_set(err, ERR_FAILED, "%s %s%s%s", stage, r.detail, r.error ? ": " : "",
		r.error ? strerror(r.error) : "");
	return -1;
}

bool spawn_is_stub(pid_t pid)
{
	char path[40];
	struct stat runs, stub, own;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (stat(path, &runs) != 0 || fstat(stub_fd, &stub) != 0) {
		return false;
	}
	/* Or what was cloned from us has not even come that far. */
	bool early = stat("/proc/self/exe", &own) == 0 && runs.st_ino == own.st_ino &&
		     runs.st_dev == own.st_dev;
	return early || (runs.st_ino == stub.st_ino && runs.st_dev == stub.st_dev);
}
