/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_DAEMON_H
#define PMCTL_DAEMON_DAEMON_H
/*
 * daemon - the supervisor: the root of everything that runs.
 *
 *   daemon -> apps -> instances -> { process, timers, outputs, worker, notify socket }
 *          -> server -> connections;  ops;  turns;  events;  outputs -> sinks;  sockets;  link
 *
 * Created in this order by daemon_run(), torn down in reverse. There is one event loop; it and
 * this struct are passed down, nothing here is global.
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "daemon/applist.h"
#include "daemon/events.h"
#include "daemon/exitpolicy.h"
#include "daemon/exporter.h"
#include "daemon/link.h"
#include "daemon/metrics.h"
#include "daemon/ops.h"
#include "daemon/output.h"
#include "daemon/pasts.h"
#include "daemon/sampler.h"
#include "daemon/schedule.h"
#include "daemon/server.h"
#include "daemon/sockets.h"
#include "daemon/store.h"
#include "daemon/tally.h"
#include "daemon/turns.h"
#include "daemon/turntime.h"
#include "daemon/upgrade.h"
#include "daemon/warnings.h"
#include "sys/cgroup.h"
#include "sys/paths.h"
#include "sys/proctab.h"
#include "sys/watchtree.h"

struct daemon {
	struct ev_loop *loop;
	struct paths paths;
	int runtime_fd, state_fd, log_fd; /* directories */
	int control_fd;			  /* the control socket the keeper held; -1 = none */
	struct link link;
	struct outputs outputs;
	struct sockets sockets;
	json_t *saved_sockets; /* while resuming: what the predecessor saved of sockets and keys */
	struct events events;
	struct ops ops;
	struct applists lists;
	struct turns turns;
	struct exitpolicy exit_policy;
	struct pasts pasts;
	struct tally tally;
	struct metrics metrics;
	struct turntime turntime;
	struct sampler sampler;
	struct warnings warnings;
	struct schedule schedule;
	struct store store;
	struct server server;
	struct exporter exporter;
	struct upgrade upgrade;
	struct cgroup_base cgroup;
	bool have_cgroup;
	char *preload;		     /* path of graceful.cjs; NULL = it is not there */
	struct proc_table processes; /* snapshot of /proc, kept for its memory */
	unsigned processes_turn;     /* turn of the loop in which treekill took it, and when */
	int64_t processes_mono_ms;
	char no_cgroup_why[200];
	struct watchtree_pool watch_pool;
	struct list apps;	  /* struct app.node, in order of creation */
	struct list by_pid[1024]; /* struct inst.pid_node */
	ev_timer takeover;	  /* the keeper is dead: become it, or try again */
	bool holds_signals;	  /* for the keeper that we become */
	ev_timer collect;	  /* frees what was scaled away or deleted, from the loop */
	ev_signal sigterm, sigint, sigusr1, sigusr2;
	int64_t started_mono_ms;
	struct {
		uint64_t serial; /* of the connection that asked for the end; 0 = none */
		json_t *id;
		int live; /* processes there were then */
	} stop_call;
	int own_log_fd;		   /* pmctld.log */
	int64_t signalled_mono_ms; /* when SIGTERM or SIGINT came last; 0 = never */
	bool stopping;		   /* asked to end: nothing is started any more */
	bool leave_running;	   /* ... and what runs stays */
	int exit_status;
};

/* The supervisor's life. Returns the exit status of the process. */
int daemon_run(void);

/* Begin the end: stop all apps (or leave them), then leave the loop. Wishes are kept. */
void daemon_stop(struct daemon *d, bool leave_running);
/* Called when an instance has stopped; ends the loop once the last one has. */
void daemon_check_stopped(struct daemon *d);
/* Rotate pmctld.log if it has become too large, make it anew if it is gone. */
void daemon_check_log(struct daemon *d);

#endif
