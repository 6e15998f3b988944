/* SPDX-License-Identifier: MIT */
#include "client/who.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"

void who_user(struct buf *out, int64_t uid)
{
	static int64_t known = -1; /* one question for many lines: it may go over a network */
	static char name[64];
	if (uid != known) {
		const struct passwd *pw = uid >= 0 ? getpwuid((uid_t)uid) : NULL;
		if (pw) {
			snprintf(name, sizeof(name), "%.60s", pw->pw_name);
		} else {
			snprintf(name, sizeof(name), "uid %lld", (long long)uid);
		}
		known = uid;
	}
	client_add_text(out, name);
}

/* The folder of a process is as old as the process, or younger. */
static void add_comm(struct buf *out, int64_t pid, int64_t at_ms)
{
	char path[48], comm[32];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%lld", (long long)pid);
	if (pid <= 0 || stat(path, &st) != 0 || st.st_mtime > at_ms / 1000) {
		return;
	}
	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, comm, sizeof(comm) - 1) : -1;
	if (fd >= 0) {
		close(fd);
	}
	if (n > 1) {
		comm[n - 1] = '\0';
		buf_addc(out, ' ');
		client_add_text(out, comm);
	}
}

void who_asked(struct buf *out, const json_t *by, int64_t at_ms)
{
	int64_t pid = member_int(by, "pid", 0);
	who_user(out, member_int(by, "uid", -1));
	buf_addf(out, ", pid %lld", (long long)pid);
	add_comm(out, pid, at_ms);
}
