/* SPDX-License-Identifier: MIT */
#include "sys/portowner.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/proc.h"

#define TCP_LISTEN_STATE 0x0a

/* A line of /proc/net/{tcp,udp}[6]: local address in hexadecimal words of host order. */
struct row {
	uint8_t addr[16];
	size_t len; /* 4 or 16 */
	unsigned port, state, uid;
	unsigned long inode;
};

static bool parse_row(const char *line, struct row *r)
{
	char hex[40];
	if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*u %lu", hex, &r->port,
		   &r->state, &r->uid, &r->inode) != 5) {
		return false;
	}
	r->len = strlen(hex) / 2;
	if (r->len != 4 && r->len != 16) {
		return false;
	}
	for (size_t w = 0; w < r->len / 4; w++) {
		char word[9];
		memcpy(word, hex + w * 8, 8);
		word[8] = '\0';
		uint32_t v = (uint32_t)strtoul(word, NULL, 16);
		memcpy(r->addr + w * 4, &v, 4);
	}
	return true;
}

static bool is_any(const uint8_t *addr, size_t len)
{
	static const uint8_t zero[16];
	return memcmp(addr, zero, len) == 0;
}

/* Whether a socket bound there is in the way of one bound to what was asked for. */
static bool conflicts(const struct row *r, const struct sock_req *req)
{
	uint8_t want[16];
	if (r->port != req->port) {
		return false;
	}
	if (!req->host || is_any(r->addr, r->len)) {
		return true;
	}
	if (inet_pton(AF_INET, req->host, want) == 1) {
		return is_any(want, 4) || (r->len == 4 && memcmp(want, r->addr, 4) == 0);
	}
	if (inet_pton(AF_INET6, req->host, want) == 1) {
		return is_any(want, 16) || (r->len == 16 && memcmp(want, r->addr, 16) == 0);
	}
	return true; /* a name: the port alone has to do */
}

static bool find_row(const char *path, const struct sock_req *req, struct portowner *out)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		struct row r;
		bool listens = parse_row(line, &r) &&
			       (req->kind == SOCK_KIND_UDP || r.state == TCP_LISTEN_STATE);
		if (listens && conflicts(&r, req)) {
			out->inode = r.inode;
			out->uid = r.uid;
			found = true;
		}
	}
	if (f) {
		fclose(f);
	}
	return found;
}

static bool has_inode(pid_t pid, uint64_t inode)
{
	char path[64], want[48], link[64];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	snprintf(want, sizeof(want), "socket:[%llu]", (unsigned long long)inode);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, want) == 0;
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static bool look(pid_t pid, void *arg)
{
	struct portowner *out = arg;
	if (pid == getpid() || !has_inode(pid, out->inode)) {
		return true;
	}
	out->pid = pid;
	return false;
}

bool portowner_find(const struct sock_req *req, struct portowner *out)
{
	bool udp = req->kind == SOCK_KIND_UDP;
	*out = (struct portowner){0};
	if (req->kind == SOCK_KIND_UNIX || req->port == 0 ||
	    (!find_row(udp ? "/proc/net/udp" : "/proc/net/tcp", req, out) &&
	     !find_row(udp ? "/proc/net/udp6" : "/proc/net/tcp6", req, out))) {
		return false;
	}
	proc_for_each_pid(look, out);
	if (out->pid) {
		proc_cmdline(out->pid, out->cmd, sizeof(out->cmd));
		if (!proc_env_value(out->pid, "PMCTL_APP", out->app, sizeof(out->app))) {
			out->app[0] = '\0';
		}
	}
	return true;
}

void portowner_describe(const struct portowner *o, char *out, size_t cap)
{
	if (!o->pid) {
		snprintf(out, cap, "in use by a process of uid %u that we may not look at",
			 (unsigned)o->uid);
	} else if (o->app[0]) {
		snprintf(out, cap, "in use by pid %d (%s, uid %u), the app %s", (int)o->pid, o->cmd,
			 (unsigned)o->uid, o->app);
	} else {
		snprintf(out, cap, "in use by pid %d (%s, uid %u), not one of ours", (int)o->pid,
			 o->cmd, (unsigned)o->uid);
	}
}
