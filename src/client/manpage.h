/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MANPAGE_H
#define PMCTL_CLIENT_MANPAGE_H
/* manpage - pmctl.1 and pmctl.ini.5 in scdoc's syntax, from the tables of commands, exit statuses
 * and keys. */
#include "common/buf.h"

void manpage_commands(struct buf *out);
void manpage_keys(struct buf *out);

#endif
