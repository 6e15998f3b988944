/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_ROLLOUT_H
#define PMCTL_DAEMON_ROLLOUT_H
/*
 * rollout - another process in the place of a running one, without a moment in which none serves.
 *
 * A successor is an instance of its own beside the one in the slot: it is started, gets ready, and
 * has to stay alive for min_uptime more (the trial). Then it takes the slot, and the old one is
 * retired: it drains and ends in the ordinary way. If the trial fails the old one has never been
 * touched.
 *
 *   slot: old                              rollout_begin()
 *   slot: old, twin: new (ROLE_TRIAL)      rollout_take()
 *   slot: new, others: old (ROLE_RETIRED)
 *
 * app/rollout.h has the rules; daemon/ops.c asks them which slots are replaced when, and tells the
 * client.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/asker.h"

struct app;
struct inst;

/* Whether this instance can be replaced in this way: it is online and nobody else does it. */
bool rollout_can(const struct inst *in);
/* Whether the slot has a process too many: a successor, or one on its way out. */
bool rollout_is_busy(const struct inst *in);
/* Start a successor. What becomes of it is told by ops_on_state(). */
void rollout_begin(struct inst *in, const struct asker *by);
/* The successor has proven itself: it gets the slot, and the old one is retired. */
void rollout_take(struct inst *trial);
/* It is ready, but has not proven itself yet: ops_on_state() comes again then. */
void rollout_look_later(struct inst *trial);
/* The slot is stopped: so is a successor. */
void rollout_call_off(struct inst *in);

/* Make an instance for a record of a process that was a successor or retired when the supervisor
 * died. It is to be stopped; the slot's own goes on. */
struct inst *rollout_restore(struct app *app, int slot, uint64_t id);
/* Of one that was restored: a reload goes on that it is the successor of, and it is on trial again.
 * False: there is none, and it is to be stopped. */
bool rollout_go_on(struct inst *other);
/* All processes of the app are known again: whose orphan is whose, and which run numbers are taken.
 */
void rollout_restored(struct app *app);
/* Free those that have ended. */
void rollout_collect(struct app *app);
/* Free all, their processes are left alone. */
void rollout_free_all(struct app *app);

void rollout_on_timer(struct ev_loop *loop, ev_timer *w, int revents);

#endif
