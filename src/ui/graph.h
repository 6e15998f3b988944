/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_GRAPH_H
#define PMCTL_UI_GRAPH_H
/*
 * graph - values over time as an area of cells. Pure.
 *
 * In braille a cell holds two points of four levels, else one point: in block elements, or in
 * ASCII. A point without a value is blank; zero is not.
 */
#include <stddef.h>
#include <stdint.h>

enum graph_kind { GRAPH_BRAILLE, GRAPH_BLOCKS, GRAPH_ASCII };

/* Points in a row of w cells. */
int graph_points(enum graph_kind kind, int w);
/* Draw the points of h rows of w cells, the top row first, into out[h * w]. max: the scale. */
void graph_draw(enum graph_kind kind, const double *v, double max, int h, int w, uint32_t *out);

#endif
