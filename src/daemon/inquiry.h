/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_INQUIRY_H
#define PMCTL_DAEMON_INQUIRY_H
/*
 * inquiry - a probe of one instance: whom to ask, and by which way.
 *
 * A port that a node cluster shares is no way to one instance: any of them would answer. So the
 * connection is made by us and handed to the worker, which must accept and answer it itself. An
 * instance has one inquiry at a time: for readiness while it starts, then for its health.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/conf.h"

struct inst;

/* From the loop, once. why: NULL if ok; hung: it did not answer at all. */
typedef void inquiry_done(struct inst *in, bool ok, bool hung, const char *why);

/* Ask. One that is under way is given up. */
void inquiry_begin(struct inst *in, const struct probe *p, int64_t timeout_ms, inquiry_done *done);
void inquiry_end(struct inst *in);
/* Of a supervisor before us: end the command of a probe, if it is still there. */
void inquiry_end_left(pid_t pid, uint64_t starttime);
/* The worker has accepted, or refused, a connection. */
void inquiry_offered(struct inst *in, int64_t seq, bool accepted);

/* Whether any instance may answer in the place of the one that is asked. */
bool inquiry_is_shared(const struct inst *in, const struct probe *p);

#endif
