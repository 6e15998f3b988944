/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_FOREGROUND_H
#define PMCTL_DAEMON_FOREGROUND_H
/*
 * foreground - pmctld --foreground as the init of a container: what it runs, and its log stream.
 *
 * Both are work of pmctl(1), which reads app lists and log files: processes beside the supervisor,
 * children of the keeper, so that a supervisor's death is nothing to them and the daemon stays
 * without a parser of lists and without a reader of logs that could hold it up.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "keeper/keeper.h"

struct foreground {
	const char *exit_on; /* any, all, never; NULL = never */
	bool logs;
	bool pass_env;	    /* to the apps */
	const char *file;   /* an app list; NULL = none */
	char *const *words; /* a command instead, NULL-terminated; NULL = none */
};

/* Whether this can be done at all. ERR_USAGE. */
bool foreground_check(const struct foreground *f, struct err *err);
/* In what is to be the keeper, still in the caller's directory: start those processes, which wait
 * until opt->ready_fd, set here, is closed, and note in *opt what the supervisor has to know. */
bool foreground_begin(const struct foreground *f, struct keeper_options *opt, struct err *err);
/* At the keeper's end: the log stream may write what is left, for a moment. */
void foreground_end(void);

#endif
