/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_INPUT_H
#define PMCTL_UI_INPUT_H
/*
 * input - what a user did, in our own numbers, so that only ui/screen.c knows those of curses.
 *
 * A key is a Unicode character, or one of these above all of them.
 */
#include <stdbool.h>
#include <stdint.h>

/* Codes given to curses for sequences it does not know; above its own (KEY_MAX). */
#define UK_PASTE_BEGIN 0x300
#define UK_PASTE_END   0x301

enum ui_key {
	UK_NONE = 0,
	UK_TAB = 9,
	UK_RETURN = 13,
	UK_ESC = 27,
	UK_BASE = 0x110000,
	UK_BACK, /* the backspace key */
	UK_DEL,
	UK_ARROW_UP,
	UK_ARROW_DOWN,
	UK_ARROW_LEFT,
	UK_ARROW_RIGHT,
	UK_TOP, /* Home */
	UK_BOTTOM,
	UK_PAGE_UP,
	UK_PAGE_DOWN,
	UK_BACKTAB,
	UK_FN, /* UK_FN + n: the function key n, 1 to 12 */
	UK_MOUSE_CLICK = UK_FN + 16,
	UK_MOUSE_DOUBLE,
	UK_MOUSE_RIGHT,
	UK_MOUSE_CTRL,
	UK_MOUSE_WHEEL_UP,
	UK_MOUSE_WHEEL_DOWN,
};

#define UK_CTRL(c) ((c)&0x1f)

struct ui_input {
	uint32_t key;
	int y, x;    /* of the mouse */
	bool pasted; /* not typed: only a prompt takes it */
};

#endif
