/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_APPLY_H
#define PMCTL_DAEMON_APPLY_H
/*
 * apply - make what runs match an app list.
 *
 * All definitions are checked before anything is done. Then each app has its new definition at
 * once, and what runs by the old one is replaced by an operation (OP_APPLY), app by app on its own.
 * If one of the replacements of an app fails, the definition that was in force before is so again,
 * and what was replaced already is put back: an app is never left half way. One apply at a time.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "daemon/plan.h"

struct daemon;
struct op;

/* Whether one has to wait: an apply is under way, or a reload of an app that the plan is to change.
 * ERR_BUSY says which. */
bool apply_may_begin(struct daemon *d, const struct plan *p, struct err *err);

/* Do what the plan says; definitions are taken out of it. The targets are added to op, an OP_APPLY,
 * which is not run yet; it may be NULL if the plan is empty. */
void apply_plan(struct plan *p, struct op *op);

/* Look which of its apps are through with it, or have failed. Called whenever it goes on. */
void apply_settle(struct op *op);

/* A supervisor before us has begun one, and nobody goes on with it: what it made is in force. */
void apply_forget_lost(struct daemon *d);

#endif
