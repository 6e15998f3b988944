/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_PASSON_H
#define PMCTL_DAEMON_PASSON_H
/*
 * passon - what passes from one app to another in an apply: addresses of `listen =`, and all that
 * one that is deleted had.
 *
 * Who is to have an address waits until the other app is through with giving it up, and all wait
 * for the end of what is deleted. Two that want each other's address cannot both wait: that is
 * refused before anything is done.
 */
#include <stdbool.h>

#include "common/err.h"
#include "daemon/ops.h"

struct inst;
struct op;
struct plan;

/* Whether this OP_APPLY is not to do this to an instance yet (NULL = it is no more). */
bool passon_must_wait(struct op *op, enum op_kind kind, const struct inst *in);

/* Called where nothing could be begun. True if all that is left waits for an address, and nothing
 * moves that could make it free (`after` may want it the other way round): it is not waited for any
 * more, and the start will tell. */
bool passon_give_up(struct op *op);

/* ERR_FAILED names two apps that would exchange an address while both run, and what helps. */
bool passon_check(const struct plan *p, struct err *err);

#endif
