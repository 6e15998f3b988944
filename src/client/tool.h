/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_TOOL_H
#define PMCTL_CLIENT_TOOL_H
/*
 * tool - run a program of the system, such as systemctl, and take what it prints.
 *
 * It has /dev/null as its input, gets the locale C, and is killed when its time is over. What it
 * prints beyond TOOL_OUTPUT is dropped.
 */
#include "common/buf.h"

#define TOOL_OUTPUT (64 * 1024)

enum { TOOL_MISSING = -1, TOOL_KILLED = -2 };

/* argv[0] is searched in PATH. Both outputs go into *out without newlines at the end. Its exit
 * status, TOOL_MISSING if there is no such program, TOOL_KILLED if a signal or the time ended it.
 */
int tool_run(const char *const *argv, int timeout_ms, struct buf *out);

#endif
