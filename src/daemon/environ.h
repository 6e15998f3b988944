/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_ENVIRON_H
#define PMCTL_DAEMON_ENVIRON_H
/*
 * environ - the environment an instance starts with.
 *
 * A login's (PATH HOME USER SHELL LANG TZ LC_*), then the file's variables, then ours. Never the
 * whole one of the daemon or of whoever called.
 */
#include <stddef.h>

#include "common/words.h"

struct inst;

/* Fill the empty *env with NAME=VALUE words; returns how many of them, from the front, are the
 * base an env_file may lie over. */
size_t environ_build(const struct inst *in, struct words *env);

#endif
