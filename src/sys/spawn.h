/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_SPAWN_H
#define PMCTL_SYS_SPAWN_H
/*
 * spawn - start a program as a child of our own parent.
 *
 * clone3(CLONE_PARENT | CLONE_VM | CLONE_VFORK | CLONE_PIDFD [| CLONE_INTO_CGROUP]) and then the
 * exec stub (sys/stub.h). The child belongs to the keeper from birth, so nothing that happens to
 * the supervisor takes its exit status away. The caller is held up only until the stub, a local
 * file open since start, is loaded; what may hang comes after that.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/words.h"

struct spawn_limit {
	int resource;
	const char *name;    /* for messages */
	uint64_t soft, hard; /* UINT64_MAX = unlimited */
};

struct spawn_req {
	char *const *argv; /* NULL-terminated */
	char *const *envp; /* NULL-terminated; the first nbase lie under the env_file */
	size_t nbase;
	const char *cwd;       /* NULL = stay */
	const char *script;    /* a file that must be readable; NULL = none */
	const char *env_file;  /* NULL = none */
	int out_fd, err_fd;    /* an end of a pipe, or any descriptor; -1 = /dev/null */
	const int *listen_fds; /* become 3, 4 ... */
	size_t nlisten;
	int channel_fd; /* becomes 3 + nlisten; -1 = none */
	int spare_fd;	/* with a channel: its other end, becomes the next one */
	bool set_user;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
	int umask; /* -1 = leave */
	int nice;
	bool set_nice;
	const char *affinity;	   /* hexadecimal mask; NULL = leave */
	const char *oom_score_adj; /* NULL = leave */
	const struct spawn_limit *limits;
	size_t nlimits;
	int cgroup_fd;	   /* directory of a v2 cgroup; -1 = none */
	bool as_own_child; /* a child of the caller, not of its parent: tests and helpers */
};

struct spawn_child {
	pid_t pid;
	int pidfd;
	int report_fd; /* non-blocking; end of file = the program runs */
};

/* Open the stub once; it is pinned, so an upgrade cannot mix versions. */
bool spawn_init(struct err *err);
/* A file that is installed with the stub, or lies beside pmctld as it was built. Caller frees; NULL
 * if it is in neither place. */
char *spawn_find_file(const char *name);

/* Start. Descriptors in *out belong to the caller. ERR_LIMIT: the system has no room for another
 * process (EAGAIN, ENOMEM) or descriptor; that is no fault of the app. */
bool spawn_start(const struct spawn_req *req, struct spawn_child *out, struct err *err);

/* Read the report descriptor: 0 = nothing yet, 1 = the program runs, -1 = it could not be started
 * and err says at which stage and why ("chdir /srv/x: No such file or directory"). */
int spawn_read_report(int report_fd, struct err *err);
/* Whether this process has not yet become its program: for one whose report nobody can read. */
bool spawn_is_stub(pid_t pid);

#endif
