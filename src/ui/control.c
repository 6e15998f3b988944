/* SPDX-License-Identifier: MIT */
#include "ui/control.h"

#include <stdio.h>

#include "ui/control_priv.h"

/* --- what needs no file of its own --- */

static void on_effect(struct ui *u, enum action action, uint32_t key)
{
	(void)key;
	effects_add(&u->effects,
		    action == ACT_REDRAW    ? EFFECT_REDRAW
		    : action == ACT_SUSPEND ? EFFECT_SUSPEND
		    : action == ACT_PAUSE   ? EFFECT_PAUSE
		    : action == ACT_THEME   ? EFFECT_THEME
					    : EFFECT_QUIT,
		    1, NULL);
}

static void on_mouse(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	u->mouse = !u->mouse;
	effects_add(&u->effects, EFFECT_MOUSE, u->mouse, NULL);
	ui_say(u, UI_PLAIN, false, "mouse %s",
	       u->mouse ? "on; with Shift it is the terminal's" : "off");
}

static control_handler *const handlers[ACT_COUNT] = {
	[ACT_DOWN] = list_move,
	[ACT_UP] = list_move,
	[ACT_TOP] = list_move,
	[ACT_BOTTOM] = list_move,
	[ACT_PAGE_DOWN] = list_move,
	[ACT_PAGE_UP] = list_move,
	[ACT_HALF_DOWN] = list_move,
	[ACT_HALF_UP] = list_move,
	[ACT_NEXT_PANE] = list_pane,
	[ACT_PREV_PANE] = list_pane,
	[ACT_PANE] = list_pane,
	[ACT_ZOOM] = list_zoom,
	[ACT_CLOSE] = list_open,
	[ACT_OPEN] = list_open,
	[ACT_TOGGLE] = list_toggle,
	[ACT_TOGGLE_ALL] = list_toggle_all,
	[ACT_FORM] = list_form,
	[ACT_FILTER] = overlay_prompt,
	[ACT_UNHEALTHY] = list_unhealthy,
	[ACT_ESCAPE] = list_escape,
	[ACT_SORT_PREV] = list_sort,
	[ACT_SORT_NEXT] = list_sort,
	[ACT_REVERSE] = list_sort,
	[ACT_SORT_MENU] = menu_sort,
	[ACT_MARK] = list_mark,
	[ACT_MARK_ALL] = list_mark_all,
	[ACT_UNMARK] = list_unmark,
	[ACT_RELOAD] = do_at_once,
	[ACT_START] = do_at_once,
	[ACT_MORE] = do_scale,
	[ACT_FEWER] = do_scale,
	[ACT_MENU] = do_menu,
	[ACT_STOP] = do_ask,
	[ACT_RESTART] = do_ask,
	[ACT_SIGNAL] = do_signal,
	[ACT_DELETE] = do_ask,
	[ACT_LOGS] = logs_full,
	[ACT_SEARCH] = overlay_prompt,
	[ACT_NEXT] = logs_next,
	[ACT_PREV] = logs_next,
	[ACT_LOG_FILTER] = overlay_prompt,
	[ACT_ERR_ONLY] = logs_toggle,
	[ACT_FOLLOW] = logs_toggle,
	[ACT_SINCE] = logs_since,
	[ACT_WRAP] = logs_toggle,
	[ACT_LEFT] = logs_toggle,
	[ACT_RIGHT] = logs_toggle,
	[ACT_TIMES] = logs_toggle,
	[ACT_JSON] = logs_toggle,
	[ACT_MARK_LINE] = logs_toggle,
	[ACT_COPY] = logs_copy,
	[ACT_PAGER] = logs_pager,
	[ACT_SAVE] = overlay_prompt,
	[ACT_DETAIL] = list_side_pane,
	[ACT_EVENTS] = list_side_pane,
	[ACT_GO_TO_EVENT] = list_go_to_event,
	[ACT_ALERTS] = menu_alerts,
	[ACT_ACKNOWLEDGE] = menu_acknowledge,
	[ACT_PLAN] = menu_plan,
	[ACT_COLUMNS] = menu_columns,
	[ACT_THEME] = on_effect,
	[ACT_COMMAND] = overlay_prompt,
	[ACT_MOUSE] = on_mouse,
	[ACT_PAUSE] = on_effect,
	[ACT_REDRAW] = on_effect,
	[ACT_SUSPEND] = on_effect,
	[ACT_HELP] = menu_help,
	[ACT_QUIT] = list_quit,
	[ACT_QUIT_NOW] = on_effect,
};

bool control_handles(enum action action)
{
	return action > ACT_NONE && action < ACT_COUNT && handlers[action];
}

void control_action(struct ui *u, enum action action, uint32_t key)
{
	const struct keybind *b = keymap_row(action);
	if (b && b->flags & KEY_DAEMON && u->model.link != UI_LINK_UP) {
		ui_say(u, UI_WARN, true, "actions are off while disconnected");
	} else if (control_handles(action)) {
		handlers[action](u, action, key);
	}
}

/* --- input --- */

static bool is_mouse(uint32_t key)
{
	return key >= UK_MOUSE_CLICK && key <= UK_MOUSE_WHEEL_DOWN;
}

/* What works in every box, and where the terminal is too small for any. Ctrl-C closes a box. */
static bool is_global(enum action action, uint32_t key, bool open)
{
	return action == ACT_SUSPEND || action == ACT_REDRAW ||
	       (action == ACT_QUIT_NOW && (!open || key >= UK_BASE));
}

static void key_input(struct ui *u, const struct ui_input *in)
{
	const struct keybind *b = keymap_find(in->key, u->focus);
	struct layout l;
	layout_make(&l, u, u->height, u->width);
	bool open = u->overlay.kind != OVERLAY_NONE;
	if (b && is_global(b->action, in->key, open)) {
		control_action(u, b->action, in->key);
	} else if (u->height > 0 && l.size == LAYOUT_TINY) {
		overlay_close(&u->overlay); /* nobody could see what it asks */
		if (b && b->action == ACT_QUIT) {
			control_action(u, b->action, in->key);
		}
	} else if (open) {
		overlay_input(u, in);
	} else if (b) {
		control_action(u, b->action, in->key);
	}
}

/* An error stays until a key; Enter shows all that was printed. */
static bool dismiss(struct ui *u, const struct ui_input *in)
{
	bool shows = u->status.stays && u->output.fresh && in->key == UK_RETURN &&
		     u->overlay.kind == OVERLAY_NONE;
	if (u->status.stays) {
		u->status.t_ms = 0;
		u->status.stays = false;
		u->output.fresh = false;
	}
	if (shows) {
		control_show_output(u);
	}
	return shows;
}

void control_show_output(struct ui *u)
{
	if (u->overlay.kind == OVERLAY_NONE) {
		overlay_open(&u->overlay, OVERLAY_TEXT, u->output.is_plan ? BOX_PLAN : BOX_OUTPUT,
			     "pmctl %s", u->output.title);
		overlay_say(&u->overlay, "%s", u->output.text);
		u->output.fresh = false;
	}
}

/* What is pasted is text for who asked for text, and confirms nothing. */
static bool is_stray_paste(const struct ui *u, const struct ui_input *in)
{
	bool is_text = in->key >= ' ' && in->key < UK_BASE;
	return in->pasted && !(is_text && overlay_is_typed(&u->overlay));
}

void control_input(struct ui *u, const struct ui_input *in)
{
	if (is_stray_paste(u, in)) {
		return;
	}
	if (!dismiss(u, in)) {
		if (is_mouse(in->key)) {
			mouse_input(u, in);
		} else {
			key_input(u, in);
		}
	}
	ui_refresh(u);
}
