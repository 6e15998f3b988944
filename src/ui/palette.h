/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_PALETTE_H
#define PMCTL_UI_PALETTE_H
/*
 * palette - what the styles look like, by theme and by how many colours the terminal has. Pure.
 *
 * Safe for red-green blindness (after the palette of Okabe and Ito); a colour never is the only
 * sign of anything.
 */
#include <stdbool.h>

#include "ui/style.h"

enum palette_theme { THEME_DEFAULT, THEME_LIGHT, THEME_CONTRAST, THEME_MONO, THEME_COUNT };

#define PALETTE_BOLD	  1
#define PALETTE_DIM	  2
#define PALETTE_UNDERLINE 4

struct palette_look {
	int fg;		/* colour number; -1 = that of the terminal */
	unsigned flags; /* PALETTE_* */
};

/* colors: what the terminal has; under 8 = none, as with `mono`. */
struct palette_look palette_look(enum palette_theme theme, enum ui_style style, int colors);
const char *palette_name(enum palette_theme theme);

#endif
