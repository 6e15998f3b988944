/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LOOK_H
#define PMCTL_UI_LOOK_H
/* look - what a state word looks like, and which of two is worse. Pure. */
#include <stdbool.h>

#include "ui/style.h"

/* A mark of one column. "?" for a word we do not know. */
const char *look_mark(const char *state, bool utf8);
enum ui_style look_style(const char *state);
/* 0 = well; the higher, the sooner somebody has to look. */
int look_rank(const char *state);
/* Whether a process runs in this state: the dashboard shows it as unknown while the daemon is away.
 */
bool look_runs(const char *state);

#endif
