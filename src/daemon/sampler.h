/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SAMPLER_H
#define PMCTL_DAEMON_SAMPLER_H
/*
 * sampler - when the figures of which instance are read, and what follows from them.
 *
 * Who asks for figures gets ones of the last second. As long as somebody watches all are read each
 * second; else every 2 s where there is a memory limit, and as often as the leak watch wants, every
 * 15 s, the others; descriptors then each minute. Where nothing runs nothing is read. What was read
 * goes into the past of the slot (daemon/pasts.h), is checked against memory_max and the limit of
 * descriptors, and shown to the leak watch.
 */
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/list.h"
#include "daemon/sample.h"
#include "sys/hostfig.h"

struct daemon;
struct inst;

struct sampler {
	struct daemon *daemon;
	ev_timer beat;
	ev_timer checks;     /* of what may have gone: our socket, our log */
	struct list viewers; /* daemon/viewers.h */
	struct hostfig host;
	int64_t used_us; /* CPU time of all groups at the last beat; -1 = unknown */
	bool trusts;	 /* ... and all of it was found: struct sample_round */
};

void sampler_init(struct sampler *s, struct daemon *d);
void sampler_finish(struct sampler *s);
/* A process of this instance was started, or has ended. */
void sampler_started(struct inst *in);
void sampler_ended(struct inst *in);
/* Read all whose figures are older than a second. Descriptors and IO are dearer: not at all, of the
 * last 10 s, or of the last 2 s. */
enum sampler_want { WANT_SHALLOW, WANT_ROUGH, WANT_DEEP };
void sampler_refresh(struct sampler *s, enum sampler_want want);
/* Somebody began to watch, or an app has another definition: it may have to look more often. */
void sampler_wake(struct sampler *s);
/* The snapshot of /proc, of the last second if this instance needs one. */
struct proc_table *sampler_table(struct inst *in);

#endif
