/* SPDX-License-Identifier: MIT */
#include "ui/palette.h"

/* Without colours: bold for what needs eyes, underline for the worst. */
static const unsigned mono[UI_STYLES] = {
	[UI_BOLD] = PALETTE_BOLD,
	[UI_WARN] = PALETTE_BOLD,
	[UI_FAIL] = PALETTE_BOLD | PALETTE_UNDERLINE,
};

static const unsigned flags[UI_STYLES] = {
	[UI_BOLD] = PALETTE_BOLD,
	[UI_FAIL] = PALETTE_BOLD,
};

/* 256 colours; the last three themes but one. 0 = that of the terminal. */
static const unsigned char many[][UI_STYLES] = {
	[THEME_DEFAULT] = {[UI_DIM] = 244,
			   [UI_OK] = 36,
			   [UI_WARN] = 214,
			   [UI_FAIL] = 166,
			   [UI_INFO] = 74,
			   [UI_ACCENT] = 175,
			   [UI_HUE] = 74,
			   36,
			   175,
			   69,
			   178,
			   80,
			   140,
			   109},
	[THEME_LIGHT] = {[UI_DIM] = 243,
			 [UI_OK] = 29,
			 [UI_WARN] = 130,
			 [UI_FAIL] = 160,
			 [UI_INFO] = 25,
			 [UI_ACCENT] = 127,
			 [UI_HUE] = 25,
			 29,
			 127,
			 19,
			 94,
			 30,
			 91,
			 60},
	[THEME_CONTRAST] = {[UI_DIM] = 252,
			    [UI_OK] = 48,
			    [UI_WARN] = 226,
			    [UI_FAIL] = 209,
			    [UI_INFO] = 87,
			    [UI_ACCENT] = 213,
			    [UI_HUE] = 87,
			    48,
			    213,
			    111,
			    226,
			    123,
			    183,
			    153},
};

/* The eight of every terminal: 2 green, 3 yellow, 1 red, 6 cyan, 5 magenta, 4 blue. */
static const unsigned char few[UI_STYLES] = {[UI_OK] = 2,
					     [UI_WARN] = 3,
					     [UI_FAIL] = 1,
					     [UI_INFO] = 6,
					     [UI_ACCENT] = 5,
					     [UI_HUE] = 6,
					     2,
					     5,
					     4,
					     3,
					     6,
					     5,
					     4};

struct palette_look palette_look(enum palette_theme theme, enum ui_style style, int colors)
{
	if (theme == THEME_MONO || colors < 8) {
		return (struct palette_look){-1, mono[style]};
	}
	int fg = colors >= 256 ? many[theme][style] : few[style];
	unsigned dim = colors < 256 && style == UI_DIM ? PALETTE_DIM : 0;
	return (struct palette_look){fg ? fg : -1, flags[style] | dim};
}

const char *palette_name(enum palette_theme theme)
{
	static const char *const names[THEME_COUNT] = {"default", "light", "high contrast", "mono"};
	return names[theme];
}
