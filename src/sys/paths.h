/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_PATHS_H
#define PMCTL_SYS_PATHS_H
/*
 * paths - where the daemon's files are, the same for daemon and client.
 *
 * Three directories: runtime (socket, lock, run table), state (what is wanted) and log; see the
 * table in man/pmctld.8. Nothing is ever put into a shared temporary directory. The daemon opens
 * them with paths_open_dir(), which refuses what others could have prepared, and works below the
 * descriptors it gets.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct paths {
	char *runtime, *state, *log; /* absolute directories without a slash at the end */
	char *socket, *lock;	     /* in runtime */
};

#define PATHS_SOCKET_NAME "control.sock"
#define PATHS_LOCK_NAME	  "pmctld.lock"

/* What the answer depends on. Strings are borrowed; NULL or "" = not set. */
struct paths_env {
	const char *pmctl_home;
	const char *xdg_runtime_dir, *xdg_state_home;
	const char *home;
	uid_t uid;
};

/* From the environment and the effective uid. ERR_USAGE where a variable cannot be used: PMCTL_HOME
 * that is not absolute, or a socket path too long for sockaddr_un. paths_finish() frees. */
bool paths_resolve(struct paths *p, struct err *err);
bool paths_resolve_from(const struct paths_env *env, struct paths *p, struct err *err);
void paths_finish(struct paths *p);

/* Make the directory and missing parents if need be, then open it O_DIRECTORY | O_NOFOLLOW. It must
 * be ours and grant others nothing that `mode` (0700, 0750) does not; for root, nobody else may be
 * able to replace it either (sys/trust.h). Returns the close-on-exec
 * descriptor, or -1 with an error that says what to do: "directory /x is writable by others (mode
 * 0777); fix: chmod 700 /x". */
int paths_open_dir(const char *path, mode_t mode, struct err *err);

#endif
