/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_TREEKILL_H
#define PMCTL_DAEMON_TREEKILL_H
/*
 * treekill - an instance's processes as a whole: signal them, see whether any is left.
 *
 * By the instance's cgroup where we have one, else by sys/tree.h. What is reached depends on the
 * app's kill_mode.
 */
#include <stdbool.h>

struct inst;

/* A process was started or adopted: begin to follow its tree. */
void treekill_begin(struct inst *in);
/* As kill_mode says. SIGKILL with kill_mode tree takes everything at once where a cgroup can. */
void treekill_signal(struct inst *in, int sig);
/* The main process only. False with errno if there is none. */
bool treekill_main(const struct inst *in, int sig);
/* What is left that kill_mode says must go before the instance counts as stopped. Without a cgroup
 * one look that finds nothing is not enough (LOOK_AGAIN): a process may fork while we look. */
enum tree_left { TREE_GONE, TREE_LOOK_AGAIN, TREE_ALIVE };
enum tree_left treekill_left(struct inst *in);
/* Whether the kernel killed something of it for lack of memory. */
bool treekill_was_oom(const struct inst *in);
/* Whether a process of the tree has a listening socket. */
bool treekill_is_listening(struct inst *in);

#endif
