/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_STATE_H
#define PMCTL_CLIENT_STATE_H
/* state - how a state word looks: a mark of one column, and a style. */
#include <stdbool.h>

#include "client/color.h"

const char *state_mark(const char *state, bool utf8);
enum style state_style(const char *state);

#endif
