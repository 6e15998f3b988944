/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_KEEPER_COPIER_H
#define PMCTL_KEEPER_COPIER_H
/* copier - while the supervisor stays away: log pipes into their files, bytes only. No heap. */
#include "keeper/fdstore.h"

/* Move what every "pipe.KEY" holds into "file.KEY". What has no file stays in its pipe. */
void copier_run(struct fdstore *s);

#endif
