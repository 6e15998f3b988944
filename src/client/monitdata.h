/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITDATA_H
#define PMCTL_CLIENT_MONITDATA_H
/* monitdata - the daemon's answers into the dashboard's model. Pure: the time is passed in. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ui/ui.h"

/* An answer of `list` or a sample of `watch`, of this time (ms since the epoch). */
void monitdata_list(struct ui *u, const json_t *list, int64_t now_ms);
/* An answer of `history`: the past of the CPU figures, or of the memory figures. */
void monitdata_history(struct ui *u, const json_t *history, bool memory, int64_t now_ms);
/* One event, as `events` and its notifications have it. */
void monitdata_event(struct ui *u, const json_t *event);
/* An answer of `show` into the detail pane. */
void monitdata_show(struct ui *u, const json_t *show);

/* "shop/pmctl.ini" of a path: where one looks first is at the end. Borrowed. */
const char *monitdata_end_of(const char *path);

#endif
