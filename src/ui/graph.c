/* SPDX-License-Identifier: MIT */
#include "ui/graph.h"

#include <math.h>
#include <stdbool.h>

#include "ui/spark.h"

#define BRAILLE	     0x2800u
#define BRAILLE_DOTS 4

int graph_points(enum graph_kind kind, int w)
{
	return kind == GRAPH_BRAILLE ? 2 * w : w;
}

/* How many of `levels` a value fills; 0 = it is none. */
static int level_of(double v, double max, int levels)
{
	if (isnan(v)) {
		return 0;
	}
	double part = max > 0 ? v / max : 0;
	int level = part <= 0 ? 0 : part >= 1 ? levels : (int)(part * levels + 0.5);
	return level < 1 ? 1 : level;
}

/* The dots of one half of a cell, `fill` of them from below. */
static uint32_t dots(int fill, bool right)
{
	static const uint32_t bit[2][BRAILLE_DOTS] = {{0x40, 0x04, 0x02, 0x01},
						      {0x80, 0x20, 0x10, 0x08}};
	uint32_t bits = 0;
	for (int i = 0; i < BRAILLE_DOTS && i < fill; i++) {
		bits |= bit[right][i];
	}
	return bits;
}

static uint32_t braille(const double *v, double max, int h, int above, int x)
{
	int levels = h * BRAILLE_DOTS, below = above * BRAILLE_DOTS;
	uint32_t bits = dots(level_of(v[2 * x], max, levels) - below, false) |
			dots(level_of(v[2 * x + 1], max, levels) - below, true);
	return bits ? BRAILLE | bits : ' ';
}

static uint32_t block(double v, double max, int h, int above, bool utf8)
{
	int fill = level_of(v, max, h * SPARK_LEVELS) - above * SPARK_LEVELS;
	return fill < 1 ? ' '
			: spark_char(fill - 0.5, SPARK_LEVELS, utf8); /* the middle of its level */
}

void graph_draw(enum graph_kind kind, const double *v, double max, int h, int w, uint32_t *out)
{
	for (int y = 0; y < h; y++) {
		int above = h - 1 - y; /* rows below this one */
		for (int x = 0; x < w; x++) {
			out[y * w + x] = kind == GRAPH_BRAILLE
						 ? braille(v, max, h, above, x)
						 : block(v[x], max, h, above, kind == GRAPH_BLOCKS);
		}
	}
}
