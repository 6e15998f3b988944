/* SPDX-License-Identifier: MIT */
#include "sys/listening.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define MAX_INODES	4096
#define TCP_ESTABLISHED 0x01
#define TCP_LISTEN	0x0a
#define UNIX_ACCEPTS	0x00010000ul /* __SO_ACCEPTCON */

struct inodes {
	unsigned long v[MAX_INODES];
	size_t n;
	const uint16_t *port; /* connections to these, not listening sockets; NULL = the latter */
	size_t nport;
};

static void add(struct inodes *s, unsigned long inode)
{
	if (inode && s->n < MAX_INODES) {
		s->v[s->n++] = inode;
	}
}

static bool is_wanted(const struct inodes *s, unsigned state, unsigned port)
{
	if (!s->port) {
		return state == TCP_LISTEN;
	}
	for (size_t i = 0; i < s->nport; i++) {
		if (s->port[i] == port) {
			return state == TCP_ESTABLISHED;
		}
	}
	return false;
}

static void read_inet(struct inodes *s, FILE *f)
{
	char line[512];
	while (fgets(line, sizeof(line), f)) {
		unsigned state, port;
		unsigned long inode;
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %lu", &port,
			   &state, &inode) == 3 &&
		    is_wanted(s, state, port)) {
			add(s, inode);
		}
	}
}

static void read_unix(struct inodes *s, FILE *f)
{
	char line[512];
	while (fgets(line, sizeof(line), f)) {
		unsigned long flags, inode;
		if (sscanf(line, "%*s %*s %*s %lx %*s %*s %lu", &flags, &inode) == 2 &&
		    (flags & UNIX_ACCEPTS)) {
			add(s, inode);
		}
	}
}

static void read_table(struct inodes *s, pid_t pid, const char *name,
		       void (*reader)(struct inodes *, FILE *))
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
	FILE *f = fopen(path, "re");
	if (f) {
		reader(s, f);
		fclose(f);
	}
}

static bool contains(const struct inodes *s, unsigned long inode)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i] == inode) {
			return true;
		}
	}
	return false;
}

static bool holds_one(const struct inodes *s, pid_t pid)
{
	char path[64], link[64];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		unsigned long inode;
		link[n > 0 ? n : 0] = '\0';
		found = sscanf(link, "socket:[%lu]", &inode) == 1 && contains(s, inode);
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

bool listening_has(pid_t pid)
{
	struct inodes *s = xcalloc(1, sizeof(*s));
	read_table(s, pid, "tcp", read_inet);
	read_table(s, pid, "tcp6", read_inet);
	read_table(s, pid, "unix", read_unix);
	bool found = s->n && holds_one(s, pid);
	free(s);
	return found;
}

bool listening_serves(pid_t pid, const uint16_t *port, size_t n)
{
	struct inodes *s = xcalloc(1, sizeof(*s));
	s->port = port;
	s->nport = n;
	read_table(s, pid, "tcp", read_inet);
	read_table(s, pid, "tcp6", read_inet);
	bool found = s->n && holds_one(s, pid);
	free(s);
	return found;
}
