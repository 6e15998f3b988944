/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGTIME_H
#define PMCTL_CLIENT_LOGTIME_H
/* logtime - the points in time people name: "10m", "14:00", "yesterday", RFC 3339. Pure. */
#include <stdbool.h>
#include <stdint.h>

/* Against now, both in ms since the epoch. A duration is that long ago; a time of day without date
 * is its last occurrence, in local time; so is a date without zone. False if it is none of these.
 */
bool logtime_parse(const char *text, int64_t now_ms, int64_t *out_ms);

#endif
