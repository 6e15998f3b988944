/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OUTPUTTAIL_H
#define PMCTL_DAEMON_OUTPUTTAIL_H
/* outputtail - the last words of a process, read back from its log file. */
#include "daemon/output.h"

/* The last n lines this run wrote, oldest first, at most cap bytes in all; appended to *text. */
void output_tail(struct output *out, int n, struct buf *text);

#endif
