/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_RELOG_H
#define PMCTL_DAEMON_RELOG_H
/*
 * relog - log_format = time and json: lines are rewritten on their way into the file.
 *
 * What is in flight stands in a spool (sys/spool.h), which outlives a supervisor that is killed.
 * Only where the keeper is killed with it an unfinished line is lost.
 */
#include <sys/types.h>

struct output;

/* Read once from the pipe and write whole lines. As read(2); errno of the file where it fails. The
 * log file is open. */
ssize_t relog_copy(struct output *out);
/* Write what is left of an unfinished line, if the file is open. */
void relog_flush(struct output *out);

#endif
