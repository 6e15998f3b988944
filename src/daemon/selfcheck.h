/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_SELFCHECK_H
#define PMCTL_DAEMON_SELFCHECK_H
/*
 * selfcheck - `pmctld --self-check`: whether this program could take over from the daemon that
 * runs.
 *
 * A daemon that is to be upgraded runs it first (daemon/upgrade.h). It reads what the successor
 * would read, and changes nothing. One line on stdout and status 0, or the reason on stderr and 1.
 */

/* The line, for scanf(3): version, KEEPER_PROTOCOL. */
#define SELFCHECK_LINE "pmctld %31s keeper %u"

int selfcheck_run(void);

#endif
