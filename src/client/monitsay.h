/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITSAY_H
#define PMCTL_CLIENT_MONITSAY_H
/*
 * monitsay - what the dashboard says of a command that it runs: the line of its output that counts
 * goes into the status line, all of it into a box. Pure.
 */
#include "client/monitrun.h"

/* It has printed something, and goes on. */
void monitsay_progress(struct ui *u, const struct monitrun_child *ch);
/* It has ended, with this status of waitpid(2). */
void monitsay_end(struct ui *u, const struct monitrun_child *ch, int status);

#endif
