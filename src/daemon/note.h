/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_NOTE_H
#define PMCTL_DAEMON_NOTE_H
/*
 * note - the words behind the state of an instance or app, in list, show and why: "try in 12s:
 * exit 75", "leak? +2.1M/min".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct inst;

/* A wait is told with the time that is left of it, then what may become trouble; "" = nothing. */
void note_inst(const struct inst *in, char *out, size_t cap);
/* Of an app, whose trouble `in` has: which instance that is is said where there are several. */
void note_app(const struct app *app, const struct inst *in, char *out, size_t cap);
/* How its memory grows, where that looks like a leak; *left_ms is -1 if nothing limits it. False:
 * it does not look so. */
bool note_leak(const struct inst *in, int64_t *bytes_per_min, int64_t *left_ms);

#endif
