/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_COMPRESS_H
#define PMCTL_DAEMON_COMPRESS_H
/*
 * compress - log_compress = gzip: PATH.1 becomes PATH.1.gz, by gzip(1) in a process of its own.
 *
 * It works by name, so nothing may be renamed meanwhile. While it lives it holds a lock on PATH.1:
 * so it is also known to who did not start it, as after a restart of the supervisor.
 */
#include <stdbool.h>

struct logfile;

/* Of a file that was just rotated, and those after it that were not finished. Returns its pidfd, -1
 * if it could not be started. */
int compress_start(const struct logfile *f);
/* Whether it has ended; `end_it`: end it if not, which takes milliseconds and leaves PATH.1 as it
 * was. */
bool compress_has_ended(int pidfd, bool end_it);
/* Whether any works on PATH.1. */
bool compress_is_running(const struct logfile *f);

#endif
