/* SPDX-License-Identifier: MIT */
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "common/clock.h"
#include "common/mem.h"
#include "ui/screen.h"

#define DOUBLE_MS 400 /* between two clicks on one spot */

static struct {
	bool pasting;
	int64_t click_ms;
	int click_y, click_x;
} seen;

static uint32_t key_of(wint_t c)
{
	static const struct {
		int theirs;
		uint32_t ours;
	} keys[] = {
		{KEY_UP, UK_ARROW_UP},	     {KEY_DOWN, UK_ARROW_DOWN}, {KEY_LEFT, UK_ARROW_LEFT},
		{KEY_RIGHT, UK_ARROW_RIGHT}, {KEY_HOME, UK_TOP},	{KEY_END, UK_BOTTOM},
		{KEY_PPAGE, UK_PAGE_UP},     {KEY_NPAGE, UK_PAGE_DOWN}, {KEY_BTAB, UK_BACKTAB},
		{KEY_BACKSPACE, UK_BACK},    {KEY_DC, UK_DEL},		{KEY_ENTER, UK_RETURN}};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if ((wint_t)keys[i].theirs == c) {
			return keys[i].ours;
		}
	}
	return c > KEY_F0 && c <= (wint_t)KEY_F(12) ? UK_FN + (uint32_t)(c - KEY_F0) : UK_NONE;
}

static bool is_double(const MEVENT *e)
{
	int64_t now = clock_mono_ms();
	bool again =
		now - seen.click_ms < DOUBLE_MS && e->y == seen.click_y && e->x == seen.click_x;
	seen.click_ms = again ? 0 : now;
	seen.click_y = e->y;
	seen.click_x = e->x;
	return again;
}

static uint32_t mouse_key(const MEVENT *e)
{
	mmask_t b = e->bstate;
	if (b & BUTTON4_PRESSED) {
		return UK_MOUSE_WHEEL_UP;
	}
	if (b & BUTTON5_PRESSED) {
		return UK_MOUSE_WHEEL_DOWN;
	}
	if (b & BUTTON3_PRESSED) {
		return UK_MOUSE_RIGHT;
	}
	if (b & BUTTON1_PRESSED) {
		return b & BUTTON_CTRL ? UK_MOUSE_CTRL
		       : is_double(e)  ? UK_MOUSE_DOUBLE
				       : UK_MOUSE_CLICK;
	}
	return UK_NONE;
}

static void take_special(wint_t c, struct ui_input *in)
{
	MEVENT e;
	if (c == KEY_MOUSE && getmouse(&e) == OK) {
		*in = (struct ui_input){.key = mouse_key(&e), .y = e.y, .x = e.x};
	} else if (c == UK_PASTE_BEGIN || c == UK_PASTE_END) {
		seen.pasting = c == UK_PASTE_BEGIN;
	} else {
		in->key = key_of(c);
	}
}

bool screen_input(struct ui_input *in)
{
	wint_t c;
	int r = get_wch(&c);
	*in = (struct ui_input){.key = UK_NONE};
	if (r == ERR) {
		return false;
	}
	if (r == KEY_CODE_YES) {
		take_special(c, in);
	} else {
		in->key = c == '\n' ? UK_RETURN : c == 127 || c == 8 ? UK_BACK : (uint32_t)c;
	}
	in->pasted = seen.pasting;
	return true;
}

void screen_mouse(bool on)
{
	mousemask(on ? BUTTON1_PRESSED | BUTTON3_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED |
				  BUTTON_CTRL
		     : 0,
		  NULL);
	mouseinterval(0);
}
