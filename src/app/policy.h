/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_APP_POLICY_H
#define PMCTL_APP_POLICY_H
/*
 * policy - what an exit means: start again now, later, or not at all.
 *
 * Pure: status, times and a random number go in, an event for app/states.h comes out. Times are
 * CLOCK_MONOTONIC milliseconds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/states.h"
#include "config/conf.h"

/* A run of at least this long is a healthy one: the next restart is immediate. */
#define POLICY_HEALTHY_MS 10000

/* How a process ended. code and signal are apart: a death by signal has no exit code. */
struct exit_status {
	bool known; /* false = it vanished without telling us */
	int code;   /* valid where signal is 0 */
	int signal;
	bool core;
	bool oom;
};

/* Failures of one instance: the automatic restarts within the window, and failures in a row. */
struct history {
	int64_t *when; /* ring of the last `cap` automatic restarts */
	size_t cap, count, next;
	unsigned in_a_row; /* waits already taken since the last healthy run */
};

void history_init(struct history *h, int max_restarts);
void history_clear(struct history *h);
void history_finish(struct history *h);
/* Note an automatic restart at `when`; the oldest of more than `cap` is forgotten. */
void history_add(struct history *h, int64_t when);
/* How many noted restarts are younger than window_ms. */
size_t history_within(const struct history *h, int64_t now, int64_t window_ms);

/* From waitpid()'s status word. */
struct exit_status exit_status_decode(int status);

/* "exited 1", "killed by SIGSEGV, core dumped", "ended in an unknown way". out >= 64. */
void exit_status_text(const struct exit_status *st, char *out, size_t cap);

/* How long the next wait is, in ms: doubles with each failure in a row up to the maximum, with
 * +-10 % jitter from `random`. */
int64_t policy_delay(const struct app_conf *c, unsigned in_a_row, uint32_t random);

/*
 * Classify the end of a process nobody asked to end. Updates the history when it decides for a
 * restart; *delay_ms is set with EV_EXIT_RETRY. Returns EV_EXIT_NOW, EV_EXIT_RETRY,
 * EV_EXIT_GIVE_UP or EV_EXIT_DONE.
 */
enum inst_event policy_exit(const struct app_conf *c, struct history *h,
			    const struct exit_status *st, int64_t uptime_ms, int64_t now,
			    uint32_t random, int64_t *delay_ms);

#endif
