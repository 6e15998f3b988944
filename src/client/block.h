/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_BLOCK_H
#define PMCTL_CLIENT_BLOCK_H
/*
 * block - an operation under way, drawn as lines for a terminal. Pure.
 *
 * A heading, a row for each instance, a bar, and under it what was said meanwhile. No line is wider
 * than look->width - 1 (the last column would make some terminals wrap), and there are no more than
 * look->height lines: where the rows do not fit, those that move are shown.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/progress.h"
#include "common/buf.h"

struct block_look {
	size_t width, height; /* height at least 3 */
	bool color, utf8;
	int64_t now_mono_ms;
	bool last;	  /* it is over and stays as history: without the bar */
	const char *hint; /* what a key does, at the end of the bar; NULL = nothing */
	const char *note; /* a sentence under the bar, wrapped; NULL = none */
};

/* Append the lines, each with its newline. Returns their number. */
size_t block_draw(const struct progress *p, const struct block_look *look, struct buf *out);

#endif
