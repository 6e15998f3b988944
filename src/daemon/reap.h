/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_REAP_H
#define PMCTL_DAEMON_REAP_H
/*
 * reap - the end of a process: from the keeper's record to an event of the state table.
 *
 * The main process's exit is not the end: its output is drained, and what it left of its tree is
 * taken away first. Only then is the end classified (app/policy.h) and told to the runner.
 */
#include <ev.h>
#include <stdbool.h>

#include "keeper/shared.h"

struct daemon;
struct inst;

/* A record from the keeper's ring. Processes that are not ours (orphans) are ignored. */
void reap_record(struct daemon *d, const struct ring_record *rec);
/* An adopted instance whose main process is dead and was not recorded by the keeper. */
void reap_lost(struct inst *in);
/* It could not even be started; no_room = the system's fault, not counted against the app. */
void reap_start_failed(struct inst *in, bool no_room);
/* Nobody reports the exit of this one, the child of a keeper that is dead: watch it by its pidfd.
 * The keeper we have holds a duplicate: as long as somebody does, the kernel (Linux 6.15) knows the
 * exit status, also of what ends while no supervisor runs. */
void reap_watch(struct inst *in);
/* The keeper is dead: watch all processes ourselves from now on. */
void reap_watch_all(struct daemon *d);
/* Leave a duplicate of the pidfd with the keeper (a new one); take it back, fd is ours then. */
void reap_deposit(struct inst *in);
void reap_take_pidfd(struct inst *in, int fd);
/* The instance lets go of its process. */
void reap_forget(struct inst *in);

void reap_on_pidfd(struct ev_loop *loop, ev_io *w, int revents);
void reap_on_tree_timer(struct ev_loop *loop, ev_timer *w, int revents);

#endif
