/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_EVENTTEXT_H
#define PMCTL_CLIENT_EVENTTEXT_H
/* eventtext - an event as a line: "14:02:11.377 flaky:0  failed   gave up ...  (by uid 1000)". */
#include <jansson.h>

#include "common/buf.h"

/* One line with its newline. Days before today get the date. */
void eventtext_add(struct buf *out, const json_t *event);

#endif
