/* SPDX-License-Identifier: MIT */
#include "daemon/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/buf.h"
#include "sys/portowner.h"
#include "sys/sock.h"
#include "sys/trust.h"

#define BACKLOG 512

/* NULL = it is no unix address. */
static const char *path_of(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

static const char *kind_of(const struct stat *st)
{
	return S_ISDIR(st->st_mode)   ? "a directory"
	       : S_ISLNK(st->st_mode) ? "a link"
	       : S_ISREG(st->st_mode) ? "a file"
				      : "no socket";
}

/* As root, nobody else shall be able to have us make or remove a socket file elsewhere. */
static bool may_be_made(const char *path, struct err *err)
{
	struct stat st;
	if (geteuid() == 0 && !trust_path(path, NULL, err)) {
		return err_wrap(err, "metrics: %.100s", path);
	}
	if (lstat(path, &st) != 0) {
		return true;
	}
	if (!S_ISSOCK(st.st_mode)) {
		return err_set(err, ERR_FAILED, "metrics: %.100s is %s, which is left alone", path,
			       kind_of(&st));
	}
	if (st.st_uid != geteuid()) {
		return err_set(err, ERR_FAILED, "metrics: %.100s is a socket of uid %u", path,
			       (unsigned)st.st_uid);
	}
	return true;
}

static int open_unix(const char *path, struct err *err, int *error)
{
	struct sock_req req = {.kind = SOCK_KIND_UNIX, .path = path, .backlog = BACKLOG};
	if (!may_be_made(path, err)) {
		return -1;
	}
	int fd = sock_listen(&req, err, error);
	if (fd < 0) {
		err_wrap(err, "metrics");
	}
	return fd;
}

/* host is what req points to. */
static void inet_req(const char *address, char host[64], struct sock_req *req)
{
	const char *colon = strrchr(address, ':');
	bool v6 = address[0] == '[';
	int len = (int)(colon - address) - (v6 ? 2 : 0);
	snprintf(host, 64, "%.*s", len, address + v6);
	*req = (struct sock_req){.kind = SOCK_KIND_TCP,
				 .host = host,
				 .port = (uint16_t)atoi(colon + 1),
				 .backlog = BACKLOG};
}

int listener_open(const char *address, struct err *err, int *error)
{
	char host[64];
	struct sock_req req;
	*error = 0;
	if (path_of(address)) {
		return open_unix(path_of(address), err, error);
	}
	inet_req(address, host, &req);
	int fd = sock_listen(&req, err, error);
	if (fd < 0) {
		err_wrap(err, "metrics");
	}
	return fd;
}

void listener_blame(const char *address, struct err *err)
{
	char host[64], who[200];
	struct sock_req req;
	struct portowner owner;
	if (path_of(address)) {
		return;
	}
	inet_req(address, host, &req);
	if (portowner_find(&req, &owner)) {
		portowner_describe(&owner, who, sizeof(who));
		err_set(err, ERR_FAILED, "metrics: cannot listen on %s: %s", address, who);
	}
}

bool listener_is_at(int fd, const char *address)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	char name[SOCK_NAME];
	const char *path = path_of(address);
	if (!sock_is_listener(fd)) {
		return false;
	}
	if (path) {
		memset(&sa, 0, sizeof(sa));
		return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
		       sa.sun_family == AF_UNIX && strlen(path) <= sizeof(sa.sun_path) &&
		       strncmp(sa.sun_path, path, sizeof(sa.sun_path)) == 0;
	}
	return sock_name(fd, name) && strncmp(name, "tcp:", 4) == 0 &&
	       strcmp(name + 4, address) == 0;
}

void listener_identity(const char *address, dev_t *dev, ino_t *ino)
{
	struct stat st;
	const char *path = path_of(address);
	bool is = path && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
	*dev = is ? st.st_dev : 0;
	*ino = is ? st.st_ino : 0;
}

bool listener_is_there(const char *address, dev_t dev, ino_t ino)
{
	dev_t now_dev;
	ino_t now_ino;
	listener_identity(address, &now_dev, &now_ino);
	return !path_of(address) || (ino && now_dev == dev && now_ino == ino);
}

void listener_remove(const char *address, dev_t dev, ino_t ino)
{
	const char *path = path_of(address);
	if (path && listener_is_there(address, dev, ino)) {
		unlink(path);
	}
}
