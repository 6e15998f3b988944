/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_COMPLETE_H
#define PMCTL_CLIENT_COMPLETE_H
/* complete - completion scripts from the tables of commands, options and keys. */
#include "common/buf.h"

void complete_bash(struct buf *out);

#endif
