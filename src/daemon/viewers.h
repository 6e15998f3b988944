/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_VIEWERS_H
#define PMCTL_DAEMON_VIEWERS_H
/*
 * viewers - connections that watch the figures (RPC method `watch`).
 *
 * A viewer belongs to its connection. One that has not read the sample before gets none; one that
 * reads nothing for long is cut off. While there is a viewer the sampler looks each second.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"

struct conn;
struct sampler;
struct viewer;

/* The connection ends; NULL is fine. */
void viewer_free(struct viewer *v);
/* Figures were taken: tell whose time it is. */
void viewers_tell(struct sampler *s, int64_t now_mono_ms);
/* The shortest interval anybody wants, in ms; 0 = nobody watches. */
int viewers_interval_ms(const struct sampler *s);

#endif
