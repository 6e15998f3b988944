/* SPDX-License-Identifier: MIT */
#include "keeper/trial.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/signals.h"

#define READY_MS  4000 /* to answer on the control socket */
#define PROVEN_MS 2000 /* to live after that */

static void note_down(struct upgrade_note *note, enum upgrade_state state, const char *why)
{
	snprintf(note->why, sizeof(note->why), "%s", why);
	note->real_ms = clock_real_ms();
	note->told = 0;
	atomic_store(&note->state, state);
}

static void drop(struct trial *t)
{
	if (t->fd >= 0) {
		close(t->fd);
	}
	*t = (struct trial){.fd = -1};
}

void trial_ask(struct trial *t, struct upgrade_note *note, int fd)
{
	drop(t);
	t->fd = fd;
	t->state = TRIAL_ASKED;
	note_down(note, UPGRADE_TRIAL, "");
}

void trial_refuse(struct upgrade_note *note, const char *why)
{
	note_down(note, UPGRADE_ROLLED_BACK, why);
}

int trial_program(const struct trial *t)
{
	return t->fd;
}

void trial_started(struct trial *t, int64_t now_ms)
{
	if (t->state == TRIAL_ASKED) {
		t->state = TRIAL_RUNS;
		t->since_ms = now_ms;
	}
}

void trial_ready(struct trial *t, int64_t now_ms)
{
	if (t->state == TRIAL_RUNS) {
		t->state = TRIAL_READY;
		t->since_ms = now_ms;
	}
}

bool trial_is_foreign(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_EXIT_PROTOCOL;
}

static void describe(const struct trial *t, int status, int64_t now_ms, char out[200])
{
	char name[SIGNALS_NAME];
	const char *when = t->state == TRIAL_READY ? "after it was ready" : "after its start";
	long long ms = (long long)(now_ms - t->since_ms);
	if (t->said[0]) {
		snprintf(out, 200, "the new supervisor says: %.160s", t->said);
	} else if (trial_is_foreign(status)) {
		snprintf(out, 200, "the new supervisor speaks another keeper protocol than %d",
			 KEEPER_PROTOCOL);
	} else if (WIFSIGNALED(status)) {
		snprintf(out, 200, "the new supervisor was killed by %s %lld ms %s",
			 signals_name(WTERMSIG(status), name), ms, when);
	} else {
		snprintf(out, 200, "the new supervisor exited %d %lld ms %s", WEXITSTATUS(status),
			 ms, when);
	}
}

bool trial_died(struct trial *t, struct upgrade_note *note, int status, int64_t now_ms)
{
	char why[200];
	if (t->state != TRIAL_RUNS && t->state != TRIAL_READY) {
		return false;
	}
	describe(t, status, now_ms, why);
	note_down(note, UPGRADE_ROLLED_BACK, why);
	drop(t);
	return true;
}

void trial_again(struct trial *t)
{
	if (t->state != TRIAL_NONE) {
		t->state = TRIAL_ASKED;
		t->said[0] = '\0';
	}
}

int trial_due_ms(const struct trial *t, int64_t now_ms)
{
	if (t->state != TRIAL_RUNS && t->state != TRIAL_READY) {
		return -1;
	}
	int64_t due = t->since_ms + (t->state == TRIAL_RUNS ? READY_MS : PROVEN_MS);
	return due > now_ms ? (int)(due - now_ms) : 0;
}

bool trial_is_late(struct trial *t, int64_t now_ms)
{
	bool late = t->state == TRIAL_RUNS && trial_due_ms(t, now_ms) == 0;
	if (late && !t->said[0]) {
		snprintf(t->said, sizeof(t->said), "nothing; it was not ready after %d s",
			 READY_MS / 1000);
	}
	return late;
}

bool trial_is_proven(const struct trial *t, int64_t now_ms)
{
	return t->state == TRIAL_READY && trial_due_ms(t, now_ms) == 0;
}

void trial_end(struct trial *t, struct upgrade_note *note, const char *why)
{
	drop(t);
	note_down(note, UPGRADE_DONE, why);
}
