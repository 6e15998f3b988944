/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_STUB_H
#define PMCTL_SYS_STUB_H
/*
 * stub - what the spawner and the exec stub (pmctl-exec) agree on.
 *
 * The stub is a small static program between us and the app. It does the steps that are slow or
 * may hang (chdir, env_file, exec on a dead mount) so that the supervisor never does, drops
 * rights, and reports the first step that fails as a struct stub_report on a close-on-exec
 * descriptor. End of file there without a report means that the app's program runs.
 *
 * Its options are letters with a value each, so `ps` shows what it is doing:
 *
 *   -l N     listening sockets: N descriptors from STUB_FD_MORE on go to 3, 4 ...
 *   -n 1     both ends of a node channel follow them and go behind them
 *   -r R:NAME:S:H  resource limit R (number), soft and hard ("-1" = unlimited)
 *   -i N     nice value         -a LIST  CPU affinity mask in hex
 *   -o N     oom_score_adj
 *   -u UID   -g GID   -s GID,GID  user, group, supplementary groups
 *   -m OCT   umask              -d DIR   working directory
 *   -f PATH  a file that must be readable: the script
 *   -b N     the first N variables are the base environment (see -e)
 *   -e PATH  env_file: lies over the base environment, under the others
 *   -- PROGRAM ARGS...
 */
#include <stdint.h>

/* Descriptors of the stub when it starts. */
enum { STUB_FD_REPORT = 3, STUB_FD_MORE = 4 };

enum stub_stage {
	STAGE_NONE,
	STAGE_LIMIT,
	STAGE_NICE,
	STAGE_AFFINITY,
	STAGE_GROUP,
	STAGE_USER,
	STAGE_CHDIR,
	STAGE_ENV_FILE,
	STAGE_SCRIPT,
	STAGE_STDIO,
	STAGE_EXEC,
	STAGE_COUNT
};

struct stub_report {
	int32_t stage;
	int32_t error;	  /* errno; 0 where detail says it all */
	char detail[240]; /* the thing: a path, a number; NUL-terminated */
};

#endif
