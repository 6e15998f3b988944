/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_ORPHANS_H
#define PMCTL_DAEMON_ORPHANS_H
/*
 * orphans - keeper and supervisor were both killed: take back from the apps what nobody else has.
 *
 * Log pipes are opened again through /proc/PID/fd. Sockets cannot be opened, only duplicated
 * (sys/procfd.h): the listening ones are in the processes that accept from them, and each node
 * program has the spare end of its channel. What was in nobody's hands is made anew: the sockets of
 * `balance = round-robin` and those of sd_notify. All of it is deposited with the new keeper.
 *
 * Does nothing where the keeper had handed everything back.
 */
#include <stdbool.h>

struct app;
struct daemon;
struct inst;

/* The sockets, before the clusters get their keys back. */
void orphans_take_sockets(struct daemon *d);
/* The rest, once the keeper has nothing more. */
void orphans_take_rest(struct daemon *d);
/* The same for one that is adopted later. */
void orphans_take_one(struct inst *in);

/* With `balance = round-robin` a worker without its channel gets nothing to do: it is replaced at
 * once. */
void orphans_replace_deaf(struct app *app);

/*
 * An instance whose sockets the kernel does not give us is stranded: it serves, but nobody can be
 * started beside it, nor in its place as long as another one of the app has the same socket. So all
 * that are stranded are restarted together, and none is started before the last one is gone.
 */

/* One of them is to be restarted: so are the others. Does nothing for one that is not stranded. */
void orphans_restart_all(struct inst *in);
/* Whether one that has ended to be started again has to wait for others. */
bool orphans_must_wait(const struct inst *in);
/* It has ended. */
void orphans_gone(struct inst *in);

#endif
