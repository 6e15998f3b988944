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
struct app_conf;
struct inst;
struct spawn_req;

/* Start a process. On failure everything made for it is given back. ERR_LIMIT: no room. */
bool launch_start(struct inst *in, struct err *err);
/* Let go of the process and all that was made for it. Safe if there is none. */
void launch_release(struct inst *in);

/* Where and as whom the app's programs run, health checks too: cwd, env_file, user, umask. Borrowed
 * from the app. */
void launch_as_app(const struct app *app, struct spawn_req *req);

/* Whether its program is given an sd_notify(3) socket. */
bool launch_needs_notify(const struct app_conf *c);

/* The stub says whether the program runs. */
void launch_on_report(struct ev_loop *loop, ev_io *w, int revents);
/* Read what it said, if anything, without waiting. */
void launch_read_report(struct inst *in);

/* The path of a log file of this instance; caller frees. NULL = none is kept. */
char *launch_log_path(const struct inst *in, bool is_err);
/* The settings of its logs are others now. */
void launch_redirect(struct inst *in);
/* Make the outputs of a process that runs already, from pipes the keeper held (-1 = lost). */
void launch_adopt_output(struct inst *in, bool is_err, int fd);
/* The same for one that ran before (its number) and has ended: what is left in the pipe is written.
 */
void launch_finish_output(struct inst *in, bool is_err, unsigned run, int fd);
/* Close and remove the instance's leaf. */
void launch_drop_cgroup(struct inst *in);
/* The leaf's name; out holds 24 bytes. */
void launch_cgroup_name(const struct inst *in, char out[24]);
/* Note the process in the table of pids, and begin to follow its tree. */
void launch_register(struct inst *in);

#endif
