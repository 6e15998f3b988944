/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_VIEW_H
#define PMCTL_UI_VIEW_H
/*
 * view - the state as a grid of cells: the frames of the manual at every size. Pure.
 *
 * view.c cuts the screen into panes, one file draws each of them.
 */
#include "ui/grid.h"
#include "ui/ui.h"

/* Draw all into the grid as it is sized. Scrolls the list to its selection. */
void view_draw(struct ui *u, struct grid *g);

#endif
