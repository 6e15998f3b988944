/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSEG_H
#define PMCTL_CLIENT_LOGSEG_H
/* logseg - one log file open for reading, with its index; PATH.gz where PATH was compressed. Owned
 * by a logfiles. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/gzread.h"
#include "sys/logindex.h"

struct logseg {
	int fd;		   /* -1 = it is compressed: */
	struct gzread *gz; /* else NULL */
	dev_t dev;
	ino_t ino;
	dev_t idx_dev; /* of its index, which keeps its own when the file is compressed; 0 = none */
	ino_t idx_ino;
	struct logindex_reader index;
};

/* NULL (errno) if there is no such file, or no regular one: EINVAL. */
struct logseg *logseg_open(const char *path);
void logseg_free(struct logseg *g);
bool logseg_same(const struct logseg *a, const struct logseg *b);
/* Of what was compressed, as it was before: the first time it has to be read for that. */
uint64_t logseg_size(const struct logseg *g);
/* Read at an offset; 0 at the end or on failure. */
size_t logseg_read(const struct logseg *g, void *buf, size_t len, uint64_t at);
/* When the byte at this offset was there, ns since the epoch; the file's own time if not known. */
int64_t logseg_time(struct logseg *g, uint64_t at);

/* Whether a compressed file was found to be cut or damaged; what comes after is not read. */
bool logseg_is_damaged(const struct logseg *g);
/* It is not read for a while: give back what was unpacked. */
void logseg_rest(struct logseg *g);

#endif
