/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_STATES_H
#define PMCTL_APP_STATES_H
/*
 * states - the life of one instance as a table.
 *
 * An instance is a slot of an app: it may or may not have a process. Two things are kept apart:
 * what is *wanted* (a process, or none), which only an operator, the file or the daemon's own end
 * changes, and the *state*, which only this table changes. So "start while stopping" needs no
 * state of its own: the wish is noted, and when everything of the old process is gone the runner
 * says EV_GONE_AGAIN instead of EV_GONE.
 *
 * An exit is classified before it comes here: app/policy.c looks at status, uptime, history and
 * wish and gives one of the EV_EXIT_* events. It is delivered only once nothing of the process
 * tree is left, so a restart never meets its predecessor's children.
 *
 * Every state has a way to ST_STOPPED by EV_STOP: at once where nothing runs, by way of
 * ST_STOPPING where something does. A cell with no entry means that the event has no meaning in
 * that state and changes nothing; the list of those cells is a golden file of the tests.
 */
#include <stdbool.h>

enum inst_state {
	ST_STOPPED,
	ST_STARTING,
	ST_ONLINE,
	ST_STOPPING,
	ST_BACKOFF,
	ST_FAILED,
	ST_DONE,
	ST_COUNT
};

enum inst_event {
	EV_START,	 /* a process is wanted */
	EV_STOP,	 /* none is wanted */
	EV_RESTART,	 /* another process is wanted */
	EV_READY,	 /* the process is ready */
	EV_NOT_READY,	 /* its deadline to get ready has passed */
	EV_EXIT_NOW,	 /* died; the policy says start again at once */
	EV_EXIT_RETRY,	 /* died, or could not be started; start again after a while */
	EV_EXIT_GIVE_UP, /* died too often */
	EV_EXIT_DONE,	 /* ended, and is not to be started again */
	EV_GONE,	 /* stopped as asked, nothing of it is left */
	EV_GONE_AGAIN,	 /* the same, and a new process is wanted by now */
	EV_BACKOFF_OVER, /* the wait before the next try has passed */
	EV_COUNT
};

enum {
	FX_SPAWN = 1 << 0,	 /* start a process and arm the ready deadline */
	FX_TERM = 1 << 1,	 /* ask the process to end and arm the kill deadline */
	FX_ARM_BACKOFF = 1 << 2, /* arm the wait before the next try */
	FX_DISARM = 1 << 3,	 /* stop every timer of the instance first */
	FX_FORGIVE = 1 << 4,	 /* forget the history of failures: an operator asked */
};

struct transition {
	enum inst_state next;
	unsigned fx;
	const char *reason; /* NULL = the event means nothing in this state */
};

/* Never NULL; reason is NULL where the event is ignored. */
const struct transition *states_cell(enum inst_state state, enum inst_event event);

/* The contract's words: "online", "backoff" ... */
const char *states_name(enum inst_state state);
const char *states_event_name(enum inst_event event);

/* Whether an instance in this state has, or may have, a process. */
bool states_is_live(enum inst_state state);

/* An app's state word from its instances' states (n >= 1) and which of them are wanted:
 * "online", "degraded" or the worst one's. wanted may be NULL = all. */
const char *states_of_app(const enum inst_state *state, const bool *wanted, int n);

#endif
