/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_LAUNCH_H
#define PMCTL_DAEMON_LAUNCH_H
/*
 * launch - one process of an instance: everything it needs is made, then it is spawned; and let
 * go of again once it is gone.
 */
#include <ev.h>
#include <stdbool.h>

#include "common/err.h"

struct app;
struct inst;
struct spawn_req;

/* Start a process. On failure everything made for it is given back. ERR_LIMIT: no room. */
bool launch_start(struct inst *in, struct err *err);
/* Let go of the process and all that was made for it. Safe if there is none. */
void launch_release(struct inst *in);

/* Where and as whom the app's programs run, health checks too: cwd, env_file, user, umask. Borrowed
 * from the app. */
void launch_as_app(const struct app *app, struct spawn_req *req);

/* The stub says whether the program runs. */
void launch_on_report(struct ev_loop *loop, ev_io *w, int revents);
/* Read what it said, if anything, without waiting. */
void launch_read_report(struct inst *in);

/* The path of a log file of this instance; caller frees. NULL = none is kept. */
char *launch_log_path(const struct inst *in, bool is_err);
/* Make the outputs of a process that runs already, from pipes the keeper held (-1 = lost). */
void launch_adopt_output(struct inst *in, bool is_err, int fd);
/* Close and remove the instance's leaf. */
void launch_drop_cgroup(struct inst *in);
/* The leaf's name; out holds 24 bytes. */
void launch_cgroup_name(const struct inst *in, char out[24]);
/* Note the process in the table of pids, and begin to follow its tree. */
void launch_register(struct inst *in);

#endif
