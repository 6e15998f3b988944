/* SPDX-License-Identifier: MIT */
#include "sys/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/fileio.h"

/* What is read of an environment at most. An app's may be larger, but ours come early in it. */
#define ENVIRON_MAX (2 * 1024 * 1024)
#define STAT_TEXT   2048

/* Fields behind the name and state, numbered as in the manual page. */
enum {
	F_PPID = 4,
	F_PGRP = 5,
	F_SESSION = 6,
	F_UTIME = 14,
	F_STIME = 15,
	F_CUTIME = 16,
	F_CSTIME = 17,
	F_THREADS = 20,
	F_STARTTIME = 22,
	F_RSS = 24,
	F_EXIT_CODE = 52,
	F_COUNT
};

/* One blank and a decimal number; wraps like the kernel's own types. NULL at anything else. */
static const char *parse_field(const char *p, const char *end, int64_t *out)
{
	if (p == end || *p++ != ' ') {
		return NULL;
	}
	bool negative = p < end && *p == '-';
	p += negative;
	const char *digits = p;
	uint64_t v = 0;
	while (p < end && *p >= '0' && *p <= '9') {
		v = v * 10 + (uint64_t)(*p++ - '0');
	}
	*out = (int64_t)(negative ? -v : v);
	return p == digits ? NULL : p;
}

static uint64_t not_negative(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

static void fill(const int64_t *f, struct proc_stat *out)
{
	out->ppid = (pid_t)f[F_PPID];
	out->pgrp = (pid_t)f[F_PGRP];
	out->session = (pid_t)f[F_SESSION];
	out->utime = (uint64_t)f[F_UTIME];
	out->stime = (uint64_t)f[F_STIME];
	out->cutime = not_negative(f[F_CUTIME]);
	out->cstime = not_negative(f[F_CSTIME]);
	out->threads = f[F_THREADS];
	out->starttime = (uint64_t)f[F_STARTTIME];
	out->rss_pages = not_negative(f[F_RSS]);
	out->exit_code = (int)f[F_EXIT_CODE];
}

bool proc_parse_stat(const char *text, size_t len, struct proc_stat *out)
{
	const char *end = text + len;
	const char *open = memchr(text, '(', len);
	const char *close = memrchr(text, ')', len);
	if (!open || !close || close < open || open == text || open[-1] != ' ' || end - close < 4 ||
	    close[1] != ' ') {
		return false;
	}
	uint64_t pid = 0;
	for (const char *p = text; p < open - 1; p++) {
		if (*p < '0' || *p > '9' || pid > INT32_MAX) {
			return false;
		}
		pid = pid * 10 + (uint64_t)(*p - '0');
	}
	int64_t f[F_COUNT] = {0};
	const char *p = close + 3;
	for (int i = F_PPID; i < F_COUNT; i++) {
		p = parse_field(p, end, &f[i]);
		if (!p) {
			return false;
		}
	}
	struct proc_stat st = {.pid = (pid_t)pid, .state = close[2]};
	size_t n = (size_t)(close - open - 1);
	memcpy(st.comm, open + 1, n < sizeof(st.comm) ? n : sizeof(st.comm) - 1);
	fill(f, &st);
	*out = st;
	return true;
}

int proc_open_stat(pid_t pid)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool proc_read_stat_fd(int fd, struct proc_stat *out)
{
	/* seq_file: one read gets the whole line, so the numbers belong together. */
	char text[STAT_TEXT];
	ssize_t n;
	do {
		n = pread(fd, text, sizeof(text), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		errno = n == 0 ? ESRCH : errno;
		return false;
	}
	if (!proc_parse_stat(text, (size_t)n, out)) {
		errno = EPROTO;
		return false;
	}
	return true;
}

bool proc_read_stat(pid_t pid, struct proc_stat *out)
{
	int fd = proc_open_stat(pid);
	if (fd < 0) {
		return false;
	}
	bool ok = proc_read_stat_fd(fd, out);
	int saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

bool proc_is(pid_t pid, uint64_t starttime)
{
	struct proc_stat st;
	return pid > 0 && proc_read_stat(pid, &st) && st.starttime == starttime;
}

int64_t proc_cpu_us(pid_t pid)
{
	/* As clock_getcpuclockid(3) makes it, which would ask the kernel first whether it is there.
	 */
	clockid_t id = (clockid_t)(~(unsigned)pid << 3 | 2);
	struct timespec ts;
	if (pid <= 0 || clock_gettime(id, &ts) != 0) {
		return -1;
	}
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

bool proc_boot_id(char out[PROC_BOOT_ID])
{
	char text[64];
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text));
	if (n < PROC_BOOT_ID - 1) {
		return false;
	}
	memcpy(out, text, PROC_BOOT_ID - 1);
	out[PROC_BOOT_ID - 1] = '\0';
	return true;
}

uint64_t proc_now_ticks(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	uint64_t hz = proc_ticks_per_second();
	return (uint64_t)ts.tv_sec * hz + (uint64_t)ts.tv_nsec * hz / 1000000000u;
}

unsigned proc_ticks_per_second(void)
{
	long hz = sysconf(_SC_CLK_TCK);
	return hz > 0 ? (unsigned)hz : 100;
}

static int64_t value_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

bool proc_read_io(pid_t pid, int64_t *read_bytes, int64_t *write_bytes)
{
	char path[32], text[512];
	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0) {
		return false;
	}
	*read_bytes = value_of(text, "\nread_bytes:");
	*write_bytes = value_of(text, "\nwrite_bytes:");
	return *read_bytes >= 0 && *write_bytes >= 0;
}

int64_t proc_read_pss(pid_t pid)
{
	char path[40], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	int64_t kib =
		file_read(AT_FDCWD, path, text, sizeof(text)) > 0 ? value_of(text, "\nPss:") : -1;
	return kib >= 0 ? kib * 1024 : -1;
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir) {
		return -1;
	}
	int n = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		n += d->d_name[0] != '.';
	}
	closedir(dir);
	return n;
}

int proc_count_fds(pid_t pid)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	struct stat st;
	if (stat(path, &st) != 0) {
		return -1;
	}
	/* Linux 6.2 and later give the number as the size of the directory; before it was 0. */
	return st.st_size > 0 ? (int)st.st_size : count_entries(path);
}

int64_t proc_max_fds(pid_t pid)
{
	struct rlimit rl;
	if (prlimit(pid, RLIMIT_NOFILE, NULL, &rl) != 0 || rl.rlim_cur == RLIM_INFINITY) {
		return -1;
	}
	return (int64_t)rl.rlim_cur;
}

static pid_t pid_of_name(const char *name)
{
	uint64_t v = 0;
	for (const char *p = name; *p; p++) {
		if (*p < '0' || *p > '9' || v > INT32_MAX) {
			return 0;
		}
		v = v * 10 + (uint64_t)(*p - '0');
	}
	return (pid_t)v;
}

bool proc_for_each_pid(bool (*fn)(pid_t pid, void *arg), void *arg)
{
	DIR *dir = opendir("/proc");
	if (!dir) {
		return false;
	}
	struct dirent *d;
	while ((d = readdir(dir))) {
		pid_t pid = pid_of_name(d->d_name);
		if (pid > 0 && !fn(pid, arg)) {
			break;
		}
	}
	closedir(dir);
	return true;
}

struct child_list {
	pid_t parent;
	pid_t *pid;
	size_t n, cap;
};

static bool add_child(pid_t pid, void *arg)
{
	struct child_list *l = arg;
	struct proc_stat st;
	if (!proc_read_stat(pid, &st) || st.ppid != l->parent) {
		return true;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->pid = xreallocarray(l->pid, l->cap, sizeof(*l->pid));
	}
	l->pid[l->n++] = pid;
	return true;
}

/* Not /proc/PID/task/TID/children: it is optional in the kernel and skips children while others
 * exit (proc_tid_children(5)). */
size_t proc_children(pid_t pid, pid_t **out)
{
	struct child_list l = {.parent = pid};
	proc_for_each_pid(add_child, &l);
	*out = l.pid;
	return l.n;
}

/* The entry NAME=VALUE of len bytes: 1 = copied, 0 = another variable, -1 = does not fit. */
static int take_entry(const char *entry, size_t len, const char *name, char *out, size_t cap)
{
	size_t n = strlen(name);
	if (len <= n || memcmp(entry, name, n) != 0 || entry[n] != '=') {
		return 0;
	}
	if (len - n > cap) {
		return -1;
	}
	memcpy(out, entry + n + 1, len - n - 1);
	out[len - n - 1] = '\0';
	return 1;
}

/* Entries are ended by NUL. One that fills the whole buffer cannot be asked for; skip it. */
static int scan_environ(int fd, const char *name, char *out, size_t cap)
{
	char buf[4096];
	size_t have = 0;
	bool skipping = false;
	for (size_t total = 0; total < ENVIRON_MAX;) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return !skipping && have ? take_entry(buf, have, name, out, cap) : 0;
		}
		total += (size_t)n;
		have += (size_t)n;
		size_t from = 0;
		for (char *nul; (nul = memchr(buf + from, '\0', have - from));) {
			size_t len = (size_t)(nul - buf) - from;
			int got = skipping ? 0 : take_entry(buf + from, len, name, out, cap);
			if (got) {
				return got;
			}
			skipping = false;
			from += len + 1;
		}
		have -= from;
		memmove(buf, buf + from, have);
		if (have == sizeof(buf)) {
			skipping = true;
			have = 0;
		}
	}
	return 0;
}

bool proc_env_value(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	int got = scan_environ(fd, name, out, cap);
	close(fd);
	return got > 0;
}

bool proc_cmdline(pid_t pid, char *out, size_t cap)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	ssize_t n = file_read(AT_FDCWD, path, out, cap);
	if (n <= 0) {
		struct proc_stat st;
		bool found = proc_read_stat(pid, &st);
		n = found ? snprintf(out, cap, "[%s]", st.comm) : snprintf(out, cap, "?");
		n = n < (ssize_t)cap ? n : (ssize_t)cap - 1;
		if (!found) {
			return false;
		}
	}
	while (n > 0 && out[n - 1] == '\0') {
		n--;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (out[i] == '\0') {
			out[i] = ' ';
		} else if (!isprint((unsigned char)out[i])) {
			out[i] = '?';
		}
	}
	return true;
}

/* pidfd_info of linux/pidfd.h as of 6.15; glibc's headers may be older. */
struct pidfd_info_exit {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pids_and_ids[11];
	int32_t exit_code;
};

#define GET_INFO  _IOWR(0xFF, 11, struct pidfd_info_exit)
#define INFO_EXIT (1ull << 3)

bool proc_pidfd_exit(int pidfd, int *status)
{
	struct pidfd_info_exit info = {.mask = INFO_EXIT};
	if (ioctl(pidfd, GET_INFO, &info) != 0 || !(info.mask & INFO_EXIT)) {
		return false;
	}
	*status = info.exit_code;
	return true;
}
