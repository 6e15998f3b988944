/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_EVENTRING_H
#define PMCTL_APP_EVENTRING_H
/*
 * eventring - the events that are remembered: bounded, and shared fairly among the apps.
 *
 * Pure. When there is no room left the app with the most events gives one: first one in the middle
 * of a row of equal ones (each knows the how manieth it is), else its oldest. So a storm of crashes
 * of many apps never takes an app the story of its own last trouble.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

#define EVENTRING_TYPE 12
/* Equal events no further apart than this are a row. */
#define EVENTRING_ROW_MS (10 * 60 * 1000)

/* What follows an exit. */
enum event_next {
	NEXT_NOTHING, /* it was asked for, or has done its work */
	NEXT_NOW,     /* started again at once */
	NEXT_RETRY,   /* after delay_ms */
	NEXT_GAVE_UP
};

/* The end of a process, for events of types exit and failed. */
struct event_exit {
	bool known; /* code and signal are */
	int code, signal;
	bool core, oom, ready;
	int64_t up_ms, delay_ms;
	enum event_next next;
	char cause[16]; /* exit signal oom memory health not-ready start listen asked replaced */
};

struct event {
	uint64_t seq; /* from 1 on */
	int64_t real_ms;
	char app[LIMIT_NAME + 1]; /* "" = the daemon itself */
	int slot;		  /* -1 = the whole app */
	char type[EVENTRING_TYPE];
	bool has_by, has_exit;
	unsigned by_uid;
	int by_pid;
	unsigned times;	  /* the how manieth in a row of equal ones */
	int64_t first_ms; /* when that row began */
	bool inside;	  /* of a row: neither its first nor its last */
	struct event_exit exit;
	char text[LIMIT_EVENT_TEXT];
};

struct eventring {
	struct event v[LIMIT_EVENTS];
	struct {
		uint16_t at, owner; /* index in v; hash of the app */
	} order[LIMIT_EVENTS];	    /* oldest first */
	size_t n;
	uint16_t share[LIMIT_EVENTS]; /* events of each owner */
	uint64_t last_seq;
	uint64_t lost_seq; /* the newest that was given up; repeats in a row do not count */
};

/* Zeroed = empty. Add one; a seq of 0 is numbered, and its place in a row is found. One that has a
 * seq has all that already (it was read from a file) and must be younger than the last. Returns
 * what was stored. */
const struct event *eventring_add(struct eventring *r, const struct event *ev);
/* The i-th of n, oldest first. */
const struct event *eventring_at(const struct eventring *r, size_t i);
/* Whether one continues the row of the other, but for the time between them. */
bool event_is_like(const struct event *a, const struct event *b);

#endif
