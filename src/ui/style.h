/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_STYLE_H
#define PMCTL_UI_STYLE_H
/*
 * style - what a cell means, not what it looks like: ui/screen.c turns it into attributes, by theme
 * and by what the terminal can.
 */

enum ui_style {
	UI_PLAIN,
	UI_DIM,
	UI_BOLD,
	UI_OK,
	UI_WARN,
	UI_FAIL,
	UI_INFO,
	UI_ACCENT,
	UI_HUE, /* UI_HUE + n: one of UI_HUES that tell apps apart; never red */
	UI_HUES = 8,
	UI_STYLES = UI_HUE + UI_HUES
};

/* Added to a style. */
#define UI_REVERSE   0x40 /* the selected row */
#define UI_UNDERLINE 0x80 /* a hit of a search */
#define UI_BASE	     0x3f /* the style without them */

#endif
