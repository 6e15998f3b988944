/* SPDX-License-Identifier: MIT */
#include "sys/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/cgmount.h"
#include "sys/fileio.h"
#include "sys/switches.h"

#define NESTING_MAX   32 /* groups an app makes below its own, deeper ones are not looked at */
#define PIDS_MAX      (1024 * 1024) /* bytes of one cgroup.procs */
#define FREEZE_POLLS  10
#define FREEZE_ROUNDS 20
#define DIR_FLAGS     (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* FNV-1a, 64 bits: two runtime directories on one machine will not meet. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *s; s++) {
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	}
	return h;
}

bool cgroup_base_open(struct cgroup_base *b, const char *runtime_dir, struct err *err)
{
	*b = (struct cgroup_base){.dirfd = -1};
	if (switches_is_off("cgroup")) {
		return err_set(err, ERR_FAILED, "switched off by PMCTL_FEATURES");
	}
	struct cgmount m;
	if (!cgmount_find(NULL, &m)) {
		return err_set(err, ERR_FAILED, "no cgroup v2 file system is mounted");
	}
	b->name = xasprintf("pmctl-%016llx", (unsigned long long)hash(runtime_dir));
	b->path = xasprintf("%s%s/%s", m.mount, m.path, b->name);
	cgmount_finish(&m);
	bool made = mkdir(b->path, 0755) == 0;
	b->dirfd = made || errno == EEXIST ? open(b->path, DIR_FLAGS) : -1;
	char type[32] = "";
	if (b->dirfd < 0 || faccessat(b->dirfd, "cgroup.procs", W_OK, AT_EACCESS) != 0 ||
	    file_read(b->dirfd, "cgroup.type", type, sizeof(type)) < 0) {
		err_sys(err, "cgroup %.300s", b->path);
	} else if (strncmp(type, "domain invalid", 14) == 0) {
		err_set(err, ERR_FAILED, "cgroup %.300s: its parent is threaded", b->path);
	} else {
		return true;
	}
	if (made) {
		rmdir(b->path);
	}
	cgroup_base_finish(b);
	return false;
}

void cgroup_base_finish(struct cgroup_base *b)
{
	if (b->path && b->dirfd >= 0) {
		close(b->dirfd);
	}
	free(b->path);
	free(b->name);
	*b = (struct cgroup_base){.dirfd = -1};
}

/* Call fn for each group directly below dirfd. */
static void each_child(int dirfd, void (*fn)(int dirfd, const char *name, void *arg), void *arg)
{
	int fd = openat(dirfd, ".", DIR_FLAGS);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0) {
			close(fd);
		}
		return;
	}
	for (struct dirent *d; (d = readdir(dir));) {
		if (d->d_type == DT_DIR && d->d_name[0] != '.') {
			fn(dirfd, d->d_name, arg);
		}
	}
	closedir(dir);
}

static void remove_group(int dirfd, const char *name, void *arg)
{
	unsigned depth = *(unsigned *)arg + 1;
	int fd = depth < NESTING_MAX ? openat(dirfd, name, DIR_FLAGS) : -1;
	if (fd >= 0) {
		each_child(fd, remove_group, &depth);
		close(fd);
	}
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

void cgroup_base_cleanup(struct cgroup_base *b)
{
	if (b->dirfd >= 0) {
		unsigned depth = 0;
		each_child(b->dirfd, remove_group, &depth);
		rmdir(b->path);
	}
	cgroup_base_finish(b);
}

/* The kernel's own files all have a dot in their names. */
static bool is_leaf_name(const char *name)
{
	return name[0] && name[0] != '-' && strlen(name) <= 200 &&
	       name[strspn(name,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
		       '\0';
}

int cgroup_create(struct cgroup_base *b, const char *name, struct err *err)
{
	if (b->dirfd < 0 || !is_leaf_name(name)) {
		err_set(err, ERR_FAILED, "cgroup \"%.100s\": %s", name,
			b->dirfd < 0 ? "not available" : "not a name for one");
		return -1;
	}
	if (mkdirat(b->dirfd, name, 0755) != 0 && errno == EEXIST) {
		/* Left by an earlier life. Removing it clears its CPU time too; fails if in use. */
		cgroup_remove(b, name);
		if (mkdirat(b->dirfd, name, 0755) != 0) {
			err_sys(err, "cgroup %.300s/%s", b->path, name);
			return -1;
		}
	}
	int fd = openat(b->dirfd, name, DIR_FLAGS);
	if (fd < 0) {
		err_sys(err, "cgroup %.300s/%s", b->path, name);
	}
	return fd;
}

static int open_at_mount(const char *path)
{
	struct cgmount m;
	if (!cgmount_find(NULL, &m)) {
		return -1;
	}
	char *full = xasprintf("%s%s", m.mount, path);
	int fd = open(full, DIR_FLAGS);
	free(full);
	cgmount_finish(&m);
	return fd;
}

static bool ends_with(const char *s, const char *end, size_t len)
{
	size_t n = strlen(s);
	return n >= len && memcmp(s + n - len, end, len) == 0;
}

int cgroup_adopt(const struct cgroup_base *b, pid_t pid, const char *name)
{
	char path[4096];
	if (b->dirfd < 0 || !is_leaf_name(name) || !cgmount_path_of(pid, path, sizeof(path))) {
		return -1;
	}
	char *tail = xasprintf("/%s/%s", b->name, name);
	size_t len = strlen(tail);
	char *at = strstr(path, tail);
	int fd = -1;
	if (at && (at[len] == '\0' || at[len] == '/')) {
		at[len] = '\0';
		/* Nearly always below the base we have; else looking for the mount is dear. */
		size_t base = (size_t)(at - path) + 1 + strlen(b->name);
		fd = ends_with(b->path, path, base) ? openat(b->dirfd, name, DIR_FLAGS)
						    : open_at_mount(path);
	}
	free(tail);
	return fd;
}

bool cgroup_leaf_of(const struct cgroup_base *b, pid_t pid, char *name, size_t cap)
{
	char path[4096];
	if (b->dirfd < 0 || !cgmount_path_of(pid, path, sizeof(path))) {
		return false;
	}
	char *base = xasprintf("/%s/", b->name);
	const char *at = strstr(path, base);
	const char *leaf = at ? at + strlen(base) : "";
	size_t len = strcspn(leaf, "/");
	free(base);
	if (len == 0 || len >= cap) {
		return false;
	}
	memcpy(name, leaf, len);
	name[len] = '\0';
	return true;
}

int cgroup_open(const struct cgroup_base *b, const char *name)
{
	return b->dirfd >= 0 && is_leaf_name(name) ? openat(b->dirfd, name, DIR_FLAGS) : -1;
}

bool cgroup_remove(struct cgroup_base *b, const char *name)
{
	if (b->dirfd < 0 || !is_leaf_name(name)) {
		errno = ENOENT;
		return false;
	}
	if (unlinkat(b->dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
		return true;
	}
	unsigned depth = 0;
	remove_group(b->dirfd, name, &depth);
	if (faccessat(b->dirfd, name, F_OK, 0) != 0) {
		return true;
	}
	errno = EBUSY;
	return false;
}

struct walk {
	bool (*fn)(pid_t pid, void *arg);
	void *arg;
	unsigned depth;
	int procs; /* cgroup.procs of the first group, open; -1 = not */
	bool stopped;
};

static void walk_group(int dirfd, struct walk *w);

static void walk_child(int dirfd, const char *name, void *arg)
{
	struct walk *w = arg;
	int fd = w->stopped || w->depth >= NESTING_MAX ? -1 : openat(dirfd, name, DIR_FLAGS);
	if (fd >= 0) {
		w->depth++;
		walk_group(fd, w);
		w->depth--;
		close(fd);
	}
}

static void walk_group(int dirfd, struct walk *w)
{
	/* Nearly every leaf has a handful of processes: no need for the big buffer. */
	char small[4096];
	char *text = small;
	ssize_t n = w->procs >= 0 ? file_pread(w->procs, small, sizeof(small))
				  : file_read(dirfd, "cgroup.procs", small, sizeof(small));
	w->procs = -1; /* it was of the first group */
	if (n == (ssize_t)sizeof(small) - 1) {
		text = xmalloc(PIDS_MAX);
		n = file_read(dirfd, "cgroup.procs", text, PIDS_MAX);
	}
	for (char *p = text; n > 0 && *p && !w->stopped;) {
		long pid = strtol(p, &p, 10);
		/* 0 is a process outside of our pid namespace. A cut number has no newline. */
		if (pid > 0 && *p == '\n' && !w->fn((pid_t)pid, w->arg)) {
			w->stopped = true;
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	if (text != small) {
		free(text);
	}
	struct stat st;
	/* A directory has two links and one more for each group below. */
	if (!w->stopped && (fstat(dirfd, &st) != 0 || st.st_nlink != 2)) {
		each_child(dirfd, walk_child, w);
	}
}

void cgroup_pids(int leaf, bool (*fn)(pid_t pid, void *arg), void *arg)
{
	struct walk w = {.fn = fn, .arg = arg, .procs = -1};
	walk_group(leaf, &w);
}

static int open_file(int leaf, const char *name)
{
	return leaf < 0 ? -1 : openat(leaf, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

void cgroup_files_open(struct cgroup_files *f, int leaf)
{
	f->procs = open_file(leaf, "cgroup.procs");
	f->cpu = open_file(leaf, "cpu.stat");
}

void cgroup_files_close(struct cgroup_files *f)
{
	if (f->procs >= 0) {
		close(f->procs);
	}
	if (f->cpu >= 0) {
		close(f->cpu);
	}
	f->procs = f->cpu = -1;
}

void cgroup_files_pids(const struct cgroup_files *f, int leaf, bool (*fn)(pid_t pid, void *arg),
		       void *arg)
{
	struct walk w = {.fn = fn, .arg = arg, .procs = f->procs};
	walk_group(leaf, &w);
}

struct pid_list {
	pid_t *pid;
	size_t n, cap;
};

static bool add_pid(pid_t pid, void *arg)
{
	struct pid_list *l = arg;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 32;
		l->pid = xreallocarray(l->pid, l->cap, sizeof(*l->pid));
	}
	l->pid[l->n++] = pid;
	return true;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
	return (x > y) - (x < y);
}

static struct pid_list list_pids(int leaf)
{
	struct pid_list l = {0};
	cgroup_pids(leaf, add_pid, &l);
	if (l.n) {
		qsort(l.pid, l.n, sizeof(*l.pid), compare_pids);
	}
	return l;
}

static int pidfd_open_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * A pid that is in the list read after its pidfd was opened belongs to a process of this group; if
 * the pidfd is another, earlier process, that one is dead and the signal fails. So nobody else is
 * ever hit. In portions, to need few descriptors.
 */
static unsigned signal_portion(int leaf, const pid_t *pid, size_t n, int sig)
{
	int fd[64];
	for (size_t i = 0; i < n; i++) {
		fd[i] = pidfd_open_of(pid[i]);
	}
	struct pid_list now = list_pids(leaf);
	unsigned sent = 0;
	for (size_t i = 0; i < n; i++) {
		if (fd[i] < 0) {
			continue;
		}
		if (now.n && bsearch(&pid[i], now.pid, now.n, sizeof(*now.pid), compare_pids) &&
		    syscall(SYS_pidfd_send_signal, fd[i], sig, NULL, 0) == 0) {
			sent++;
		}
		close(fd[i]);
	}
	free(now.pid);
	return sent;
}

unsigned cgroup_signal(int leaf, int sig)
{
	struct pid_list l = list_pids(leaf);
	unsigned sent = 0;
	for (size_t i = 0; i < l.n; i += 64) {
		sent += signal_portion(leaf, l.pid + i, l.n - i < 64 ? l.n - i : 64, sig);
	}
	free(l.pid);
	return sent;
}

static void rest_half_ms(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static bool has_event(int leaf, const char *line)
{
	char text[256];
	return file_read(leaf, "cgroup.events", text, sizeof(text)) > 0 && strstr(text, line);
}

bool cgroup_kill_frozen(int leaf)
{
	for (int round = 0; round < FREEZE_ROUNDS; round++) {
		/* It may not freeze in time with a task in vfork or a hung file system: kill
		 * anyway. */
		bool freezing = file_poke(leaf, "cgroup.freeze", "1");
		for (int i = 0; freezing && i < FREEZE_POLLS && !has_event(leaf, "frozen 1"); i++) {
			rest_half_ms();
		}
		unsigned sent = cgroup_signal(leaf, SIGKILL);
		if (freezing) {
			file_poke(leaf, "cgroup.freeze", "0");
		}
		if (sent == 0) {
			return true;
		}
		rest_half_ms();
	}
	return !cgroup_populated(leaf);
}

bool cgroup_kill(int leaf)
{
	/* ENODEV: the group was removed, so nobody is left in it. */
	if (!switches_is_off("cgroup_kill") &&
	    (file_poke(leaf, "cgroup.kill", "1") || errno == ENODEV)) {
		return true;
	}
	return cgroup_kill_frozen(leaf);
}

bool cgroup_populated(int leaf)
{
	return has_event(leaf, "populated 1");
}

static int64_t find_usage(const char *text)
{
	const char *at = strstr(text, "usage_usec ");
	return at && (at == text || at[-1] == '\n') ? strtoll(at + 11, NULL, 10) : -1;
}

int64_t cgroup_cpu_usec(int leaf)
{
	char text[1024];
	return file_read(leaf, "cpu.stat", text, sizeof(text)) > 0 ? find_usage(text) : -1;
}

int64_t cgroup_files_cpu_usec(const struct cgroup_files *f, int leaf)
{
	char text[1024];
	if (f->cpu < 0) {
		return cgroup_cpu_usec(leaf);
	}
	return file_pread(f->cpu, text, sizeof(text)) > 0 ? find_usage(text) : -1;
}
