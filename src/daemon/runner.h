/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_RUNNER_H
#define PMCTL_DAEMON_RUNNER_H
/*
 * runner - makes processes of wishes: feeds events to the state table and performs its effects.
 *
 * One struct inst is one slot of an app. It is owned by the app; its process, timers, outputs,
 * channel and notify socket are owned by it.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/policy.h"
#include "app/rollout.h"
#include "app/states.h"
#include "common/list.h"
#include "daemon/asker.h"
#include "daemon/sampler.h"
#include "daemon/turns.h"
#include "keeper/shared.h"
#include "sys/tree.h"

struct app;
struct asker;
struct inquiry;
struct lsock;
struct notify;
struct output;
struct pasts_rec;
struct tally_slot;
struct runtab_rec;
struct worker;

#define DRAIN_PORTS 8

struct inst {
	struct app *app;
	int slot;
	enum inst_role role;
	struct inst *twin; /* of a slot: its successor on trial; of that: the slot; NULL = none */
	struct list other_node; /* app.others, if it is not the one in the slot */
	ev_timer trial_timer;	/* ready, but not alive for min_uptime yet */
	uint64_t id;
	enum inst_state state;
	bool wanted;		/* a process is wanted: what an operator or the file said last */
	bool again;		/* being stopped in order to be started again */
	struct asker asker;	/* who asked for the next start; pid 0 = nobody */
	struct asker starter;	/* who did last */
	const char *overruled;	/* what another command did to it last: static; NULL = nothing */
	struct asker overruler; /* ... and who that was */
	enum hold held;		/* waits for its turn to be started: daemon/turns.h */
	bool leaving;		/* scaled away or deleted: freed once it has stopped */

	/* the process; pid 0 = none */
	pid_t pid;
	int pidfd;
	bool foreign; /* no child of our keeper, which holds its pidfd instead (daemon/reap.h) */
	uint64_t starttime;
	uint32_t run;	   /* counts processes of this instance */
	uint32_t last_run; /* the highest number a successor of it had */
	int64_t started_mono_ms, started_real_ms;
	int64_t ready_mono_ms;	 /* when it became ready; 0 = not yet, or not known */
	int64_t proven_mono_ms;	 /* monotonic: on trial, when it will have been well for min_uptime
				  */
	int64_t changed_mono_ms; /* its tree last did or was told to change */
	bool ran;		 /* the program was executed (the stub's report said so) */
	bool lost;		 /* adopted, but its exit was taken by a supervisor that died */
	bool stranded;		 /* adopted, but its sockets are in nobody's hands but its own */
	bool exited;		 /* the main process is dead, its tree may not be */
	bool killed;		 /* SIGKILL was sent */
	bool group_killed;	 /* ... to its group, after the main process had gone */
	bool ready;
	const char
		*replaced_why; /* being stopped for this: "over memory_max"; static; NULL = not */
	bool hung;	  /* did not even answer its health probe: nothing to wait for at its end */
	int signalled;	  /* the last signal `pmctl signal` sent it */
	bool stop_failed; /* being stopped because it did not get ready: counts as a failure */
	struct exit_status status;
	char start_error[400];	/* why it could not be started; "" = it could */
	char listen_error[200]; /* why its program could not listen; "" = it could */
	char note[280];		/* for the NOTE column; "" = nothing to say */
	bool note_is_old;	/* of the process before: goes once this one is ready */
	char *last_lines;	/* what the last process that failed wrote last; never NULL */
	int report_fd;
	int cgroup_fd;	     /* its leaf; -1 = none */
	uint32_t cgroup_run; /* the run the leaf was made for: part of its name */
	bool cgroup_spent;   /* was killed as a whole: not to be used again */
	struct tree tree;    /* its members, where there is no cgroup */
	struct output *out, *err;
	struct lsock **listen; /* daemon/listen.h */
	size_t nlisten;
	bool listen_used;
	bool listen_stale;	  /* of a definition that is not in force any more */
	struct worker *worker;	  /* node channel; NULL = none */
	int64_t messages_mono_ms; /* when the second began in which it sent so many */
	unsigned messages;
	struct notify *notify;	 /* sd_notify socket; NULL = none */
	double ask_wait;	 /* seconds until readiness is asked again */
	char ask_failed[200];	 /* why it was not ready at the last look; "" = not asked */
	struct inquiry *inquiry; /* a probe that is under way; NULL = none */
	pid_t probe_pid;	 /* of its command; 0 = none. For whoever comes after us */
	uint64_t probe_starttime;
	int64_t health_due_ms;	  /* monotonic: of health_timer */
	unsigned health_failures; /* in a row */
	bool health_heard;	  /* WATCHDOG=1 came in this interval */

	/* history */
	struct history history;
	unsigned restarts; /* automatic ones since start or reset */
	bool has_exited;   /* last_exit is valid */
	struct exit_status last_exit;
	int64_t last_exit_real_ms;
	bool last_exit_asked; /* ... was what somebody wanted */
	int64_t backoff_until_mono_ms;
	int64_t next_delay_ms; /* the wait policy_exit() chose */

	struct sample sample;
	struct pasts_rec *past;	  /* of its slot; NULL = none yet */
	struct tally_slot *tally; /* the same */
	struct runtab_rec *rec;	  /* its place in the run table; NULL = none yet */

	ev_io report_io, pid_io;
	ev_timer ready_timer; /* min_uptime, or the ready deadline */
	ev_timer health_timer;
	ev_timer kill_timer; /* SIGKILL after stop_timeout */
	ev_timer backoff_timer;
	ev_timer drain_timer;		  /* cluster: the stop signal after draining */
	uint16_t drain_port[DRAIN_PORTS]; /* what it listened on when it was asked to end */
	size_t ndrain_ports;
	int64_t drain_until_mono_ms;
	ev_timer tree_timer;	   /* what is left of the tree */
	int64_t ready_deadline_ms; /* monotonic */
	struct list pid_node;	   /* daemon.by_pid */
};

struct inst *inst_new(struct app *app, int slot, uint64_t id);
/* The process, if any, is left alone. */
void inst_free(struct inst *in);

/* Feed an event to the state table and perform what it says. */
void runner_event(struct inst *in, enum inst_event ev);

/* Set the wish and feed the event. `by` is for the event journal; NULL = the daemon itself. */
void runner_start(struct inst *in, const struct asker *by);
void runner_stop(struct inst *in, const struct asker *by);
void runner_restart(struct inst *in, const struct asker *by);
/* Another command is about to do this to it ("stopped"; static text): for whoever waits for
 * something else to happen. */
void runner_overrule(struct inst *in, const char *how, const struct asker *by);
/* Whether a successor can run beside it: not where it holds a port that it opened by itself, which
 * nobody else can have until it ends. */
bool runner_can_overlap(struct inst *in);
/* It must go: over memory_max, not healthy. Another process in its place, counted as a failure, so
 * that one that is always like that ends as failed. why is static text. */
void runner_replace(struct inst *in, const char *why);
/* Send a signal to the main process. False with errno if there is none. */
bool runner_signal(struct inst *in, int sig);

/* A worker's channel has closed: it has drained. */
void runner_drained(struct inst *in);
/* A program said it in words: shown as note (NULL = nothing). */
void runner_note(struct inst *in, const char *text);

/* Milliseconds since the process started; 0 if there is none. */
int64_t inst_uptime_ms(const struct inst *in);

#endif
