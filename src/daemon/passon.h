/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PASSON_H
#define PMCTL_DAEMON_PASSON_H
/*
 * passon - addresses of `listen =` that pass from one app to another in an apply.
 *
 * Who is to have an address waits until the other app is through with giving it up. Two that want
 * each other's cannot both wait: that is refused before anything is done.
 */
#include <stdbool.h>

#include "common/err.h"

struct inst;
struct op;
struct plan;

/* Whether an instance is not to be started or replaced yet by this OP_APPLY. */
bool passon_must_wait(const struct op *op, const struct inst *in);

/* ERR_FAILED names two apps that would exchange an address while both run, and what helps. */
bool passon_check(const struct plan *p, struct err *err);

#endif
