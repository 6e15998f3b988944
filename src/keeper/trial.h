/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_TRIAL_H
#define PMCTL_KEEPER_TRIAL_H
/*
 * trial - a new program has to prove itself as supervisor before the keeper becomes it as well.
 *
 * asked -> runs (the next supervisor is the new program) -> ready -> proven, or failed: then the
 * program we are is the supervisor again. Pure but for descriptors and the note in the ring.
 */
#include <stdbool.h>
#include <stdint.h>

#include "keeper/shared.h"

enum trial_state { TRIAL_NONE, TRIAL_ASKED, TRIAL_RUNS, TRIAL_READY };

struct trial {
	enum trial_state state;
	int fd; /* the program; -1 = none */
	int64_t since_ms;
	char said[200]; /* its own reason for failing; "" = none */
};

/* fd becomes ours. One that was asked for before is given up. */
void trial_ask(struct trial *t, struct upgrade_note *note, int fd);
/* The same, but there is none of it to be had: rolled back before it began. */
void trial_refuse(struct upgrade_note *note, const char *why);
/* The next supervisor was started, from trial_program() where that is not -1. */
void trial_started(struct trial *t, int64_t now_ms);
int trial_program(const struct trial *t);
void trial_ready(struct trial *t, int64_t now_ms);
/* The supervisor ended. True if it was one on trial, which has failed then. */
bool trial_died(struct trial *t, struct upgrade_note *note, int status, int64_t now_ms);
/* Whether it ended so because it speaks another KEEPER_PROTOCOL than we. */
bool trial_is_foreign(int status);
/* It ended as wanted, and proved nothing: the next supervisor is on trial again. */
void trial_again(struct trial *t);

/* How many ms until something is due: -1 = nothing is. */
int trial_due_ms(const struct trial *t, int64_t now_ms);
/* It is not ready in time: kill it. */
bool trial_is_late(struct trial *t, int64_t now_ms);
bool trial_is_proven(const struct trial *t, int64_t now_ms);
/* The end of a trial that went well; why = what is left to say, "" = nothing. */
void trial_end(struct trial *t, struct upgrade_note *note, const char *why);

#endif
