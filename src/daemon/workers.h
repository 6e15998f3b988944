/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_WORKERS_H
#define PMCTL_DAEMON_WORKERS_H
/*
 * workers - where instances meet the node channel, the cluster primary and the sockets.
 *
 * daemon/cluster knows workers and keys, daemon/runner knows instances; this file translates
 * between the two and is the only one that knows both.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "config/conf.h"

struct app;
struct cluster;
struct daemon;
struct inst;

/* The cluster primary of an app in cluster mode. */
struct cluster *workers_new_cluster(struct app *app);

/* It has another definition and goes on with its workers. */
void workers_redefined(struct app *app);

/* Give a node program its channel; *child_fd is the program's end, which the caller closes. Does
 * nothing (and *child_fd = -1) for other programs. */
bool workers_attach(struct inst *in, int *child_fd, struct err *err);
/* Our end of the channel, -1 = none. The program gets a duplicate: while it has one its own end is
 * not at its end when we are dead, and whoever comes after us can have ours back. So a channel is
 * ended by shutdown(2), not by closing it (channel.c). */
int workers_channel_fd(const struct inst *in);
/* The same as a number that says which it is, for the run table; 0 = none. */
uint32_t workers_channel_inode(const struct inst *in);
/* Leave a duplicate of it with the keeper. */
void workers_deposit(struct inst *in);
/* Take back a channel the keeper held. Owns fd. */
void workers_adopt(struct inst *in, int fd);
/* The process is gone: read what it wrote last ... */
void workers_drain(struct inst *in);
/* ... then let go of its channel. */
void workers_release(struct inst *in);
/* No instance of the app runs or will be started: its ports go. */
void workers_idle(struct app *app);
/* The same for one slot, which has sockets of its own with `balance = reuseport`. */
void workers_release_slot(struct inst *in);

/* After a restart of the supervisor, in this order: what the sockets are, the "sock.ID"
 * descriptors (false: we know nothing of it), the clusters' keys; then the channels are adopted;
 * then what nobody took is closed. */
void workers_load(struct daemon *d);
bool workers_restore_socket(struct daemon *d, const char *name, int fd);
void workers_restore_clusters(struct daemon *d);
void workers_restored(struct daemon *d);
/* The same for one process that was left alone and whose app is known now. */
void workers_restore_left(struct inst *in);

/* One of `listen =` was opened: note what it is for. */
void workers_sockets_changed(struct daemon *d);

/* TCP ports the worker listens on; returns their number, at most max. */
size_t workers_ports(const struct inst *in, uint16_t *port, size_t max);
struct jw;
/* Put "tcp:0.0.0.0:3000" and so on of an instance into out, one after the other. */
void workers_list_sockets(const struct inst *in, struct jw *w);

#endif
