/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_RELOG_H
#define PMCTL_DAEMON_RELOG_H
/*
 * relog - log_format = time and json: lines are rewritten on their way into the file.
 *
 * This cannot be done inside the kernel, so what was in flight may be lost if the supervisor is
 * killed with -9. The raw format has no such gap; its times stand in the side index.
 */
#include <sys/types.h>

struct output;

/* Read once from the pipe and write whole lines. As read(2); errno of the file where it fails. */
ssize_t relog_copy(struct output *out);
/* Write what is left of an unfinished line. */
void relog_flush(struct output *out);

#endif
