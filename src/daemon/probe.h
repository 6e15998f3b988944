/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PROBE_H
#define PMCTL_DAEMON_PROBE_H
/*
 * probe - ask once whether something answers: by HTTP, by a connection, by a command.
 *
 * Whatever the other side does (hangs, sends for ever, closes), the answer comes within the
 * timeout and costs a bounded amount of memory: of a reply only the status line is looked at.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "config/probe.h"

struct probe_try; /* hidden */
struct spawn_req;

struct probe_ask {
	const struct probe_target *target; /* borrowed for the call */
	int64_t timeout_ms;
	int fd; /* a connection that is there already (taken over); -1 = connect to the target */
	const struct spawn_req *command; /* exec; borrowed for the call */
	const char *failed; /* it cannot even be asked: told by done as well; NULL = it can */
	bool hung;	    /* ... because it takes nothing */
	/* Comes once, from the loop, never from probe_start(); the try is gone then. why is "GET
	 * /healthz gave 503", "no answer within 3s"; NULL if ok. hung: it did not answer at all. */
	void (*done)(void *ctx, bool ok, bool hung, const char *why);
	void *ctx;
};

/* Never NULL: what fails at once is told by done as well. */
struct probe_try *probe_start(struct ev_loop *loop, const struct probe_ask *ask);
/* done will not come. NULL is fine. */
void probe_cancel(struct probe_try *t);
/* Of its command, the leader of a group; 0 = it is no command, or did not start. */
pid_t probe_pid(const struct probe_try *t);
/* A connection that was handed to a program (fd >= 0) was accepted by it, or refused. */
void probe_accepted(struct probe_try *t, bool accepted);

#endif
