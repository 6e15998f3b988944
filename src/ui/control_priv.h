/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_CONTROL_PRIV_H
#define PMCTL_UI_CONTROL_PRIV_H
/* What the files of control share: the handlers of the actions, and what opens boxes. */
#include "ui/control.h"
#include "ui/layout.h"
#include "ui/targets.h"

/* A handler gets the action, since some are two sides of one thing, and the key. */
typedef void control_handler(struct ui *u, enum action action, uint32_t key);

/* --- control_list.c: the panes but the logs --- */
control_handler list_move, list_pane, list_zoom, list_open, list_toggle, list_toggle_all, list_form,
	list_unhealthy, list_sort, list_mark, list_mark_all, list_unmark, list_side_pane,
	list_go_to_event, list_escape, list_quit;
/* The lines of a pane as it was drawn last. */
int list_page(const struct ui *u, enum ui_pane pane);
/* Move in a pane by lines. */
void list_scroll(struct ui *u, enum ui_pane pane, int by);
/* To the list, all panes shown. */
void list_home(struct ui *u);
void list_toggle_row(struct ui *u, const struct row *row);

/* --- control_logs.c --- */
control_handler logs_full, logs_next, logs_toggle, logs_since, logs_copy, logs_pager;
/* Take the text of a prompt: PROMPT_SEARCH or PROMPT_LOG_FILTER; done = Enter, else as it is typed.
 * False: it is no expression; said if it is done. */
bool logs_typed(struct ui *u, int prompt, const char *text, bool done);

/* --- control_do.c: actions --- */
control_handler do_at_once, do_ask, do_scale, do_signal, do_menu;
/* The answer to a question, or the chosen line of a menu. */
void do_answer(struct ui *u, int what);
void do_menu_choice(struct ui *u, const struct overlay_choice *c);
void do_scale_typed(struct ui *u, const char *text);
/* Ask for a command line; it is said that it runs. */
void do_command(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- control_menu.c: menus of the view, boxes of text --- */
enum menu { MENU_ACTIONS, MENU_SIGNALS, MENU_SORT, MENU_COLUMNS };
control_handler menu_sort, menu_columns, menu_help, menu_alerts, menu_acknowledge, menu_plan;
void menu_choice(struct ui *u, struct overlay_choice *c);
/* Enter in a box of text. */
enum text_box { BOX_OUTPUT, BOX_PLAN, BOX_ALERTS };

/* --- control_overlay.c: keys while a box or prompt is open --- */
enum prompt_kind {
	PROMPT_FILTER,
	PROMPT_SEARCH,
	PROMPT_LOG_FILTER,
	PROMPT_COMMAND,
	PROMPT_SCALE,
	PROMPT_SAVE,
	PROMPT_KINDS
};
control_handler overlay_prompt;
void overlay_ask(struct ui *u, enum prompt_kind kind, const char *label, const char *text);
void overlay_input(struct ui *u, const struct ui_input *in);

/* --- control_mouse.c --- */
void mouse_input(struct ui *u, const struct ui_input *in);

#endif
