/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_NODE_H
#define PMCTL_CLIENT_IMPORT_NODE_H
/*
 * node - app lists that are programs, evaluated by node in a child.
 *
 * The child gives its answer over a pipe of its own, apart from what the file prints. It has some
 * seconds and 1 MiB; then it and all it started are killed.
 */
#include <jansson.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct import_code {
	const char *path; /* absolute; NULL = it came by a pipe and is `text` */
	const char *dir;  /* where node runs, and what relative names mean */
	const char *text;
	size_t len;
};

/* most_ms: how long it may take. What node made of the file: {"config", "marked", "reads", "wrote",
 * "spread"}, see eval.c. NULL with a reason; *hint (static) may tell a remedy. What the file
 * printed is appended to *printed, its beginning only. SIGINT, SIGTERM and SIGHUP are caught from
 * here on (client/interrupt.h); one ends all that was started. */
json_t *importnode_run(const struct import_code *code, int64_t most_ms, struct buf *printed,
		       const char **hint, struct err *err);

/* The program that node runs. */
extern const char importnode_program[];

#endif
