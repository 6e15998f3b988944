/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_COMPRESS_H
#define PMCTL_DAEMON_COMPRESS_H
/* compress - log_compress = gzip: PATH.1 becomes PATH.1.gz, by gzip(1) in a process of its own. */

int compress_start(const char *path);

#endif
