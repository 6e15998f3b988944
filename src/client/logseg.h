/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSEG_H
#define PMCTL_CLIENT_LOGSEG_H
/* logseg - one log file open for reading, with its index. Owned by a logsrc. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/logindex.h"

struct logseg {
	int fd;
	dev_t dev;
	ino_t ino;
	struct logindex_reader index;
};

/* NULL if there is no such file, or no regular one. */
struct logseg *logseg_open(const char *path);
void logseg_free(struct logseg *g);
bool logseg_same(const struct logseg *a, const struct logseg *b);
uint64_t logseg_size(const struct logseg *g);
/* Read at an offset; 0 at the end or on failure. */
size_t logseg_read(const struct logseg *g, void *buf, size_t len, uint64_t at);
/* When the byte at this offset was there, ns since the epoch; the file's own time if not known. */
int64_t logseg_time(struct logseg *g, uint64_t at);

#endif
