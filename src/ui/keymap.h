/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_KEYMAP_H
#define PMCTL_UI_KEYMAP_H
/*
 * keymap - the one table of the dashboard's keys. Help box, key line at the foot, menu of actions
 * and pmctl.1 all come from it (ui/keyhelp.h). To add an action, add it to the enum, a row here and
 * a handler in control.c; a test misses what is missing. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/ui.h"

enum action {
	ACT_NONE,
	ACT_DOWN,
	ACT_UP,
	ACT_TOP,
	ACT_BOTTOM,
	ACT_PAGE_DOWN,
	ACT_PAGE_UP,
	ACT_HALF_DOWN,
	ACT_HALF_UP,
	ACT_NEXT_PANE,
	ACT_PREV_PANE,
	ACT_PANE,
	ACT_ZOOM,
	ACT_CLOSE,
	ACT_OPEN,
	ACT_TOGGLE,
	ACT_TOGGLE_ALL,
	ACT_FORM,
	ACT_FILTER,
	ACT_UNHEALTHY,
	ACT_ESCAPE,
	ACT_SORT_PREV,
	ACT_SORT_NEXT,
	ACT_REVERSE,
	ACT_SORT_MENU,
	ACT_MARK,
	ACT_MARK_ALL,
	ACT_UNMARK,
	ACT_RELOAD,
	ACT_START,
	ACT_MORE,
	ACT_FEWER,
	ACT_MENU,
	ACT_STOP,
	ACT_RESTART,
	ACT_SIGNAL,
	ACT_DELETE,
	ACT_LOGS,
	ACT_SEARCH,
	ACT_NEXT,
	ACT_PREV,
	ACT_LOG_FILTER,
	ACT_ERR_ONLY,
	ACT_FOLLOW,
	ACT_SINCE,
	ACT_WRAP,
	ACT_LEFT,
	ACT_RIGHT,
	ACT_TIMES,
	ACT_JSON,
	ACT_MARK_LINE,
	ACT_COPY,
	ACT_PAGER,
	ACT_SAVE,
	ACT_DETAIL,
	ACT_EVENTS,
	ACT_GO_TO_EVENT,
	ACT_ALERTS,
	ACT_ACKNOWLEDGE,
	ACT_PLAN,
	ACT_COLUMNS,
	ACT_THEME,
	ACT_COMMAND,
	ACT_MOUSE,
	ACT_PAUSE,
	ACT_REDRAW,
	ACT_SUSPEND,
	ACT_HELP,
	ACT_QUIT,
	ACT_QUIT_NOW,
	ACT_COUNT
};

enum key_group {
	KEYS_MOVE,
	KEYS_TREE,
	KEYS_FIND,
	KEYS_SORT,
	KEYS_MARK,
	KEYS_DO,
	KEYS_ASKS,
	KEYS_LOGS,
	KEYS_VIEW,
	KEYS_OTHER,
	KEYS_GROUPS
};

enum {
	KEY_DAEMON = 1, /* off while the daemon is away */
	KEY_WIDE = 2,	/* in the key line of wide screens */
};

#define KEYMAP_DOC 42

struct keybind {
	enum action action;
	enum key_group group;
	unsigned panes; /* where `keys` hold: 1 << enum ui_pane */
	/* Names with blanks between, the one to learn first: "j Down". `also` holds everywhere. */
	const char *keys, *also;
	const char *brief; /* for the help box; "" = what the next row says */
	const char *doc;   /* what it does, in at most KEYMAP_DOC bytes */
	const char *foot;  /* for the key line; NULL = not in it */
	int rank;	   /* in the key line, the lower the sooner */
	unsigned flags;
};

extern const struct keybind keymap[];
extern const size_t keymap_count;

/* What a key means while this pane has the focus; NULL = nothing. */
const struct keybind *keymap_find(uint32_t key, enum ui_pane pane);
/* The row of an action. */
const struct keybind *keymap_row(enum action action);
/* The k-th key of a list of names, UK_NONE behind the last one; its name, if wanted (16 bytes). */
uint32_t keymap_key(const char *keys, size_t k, char *name);
const char *keymap_group(enum key_group group);

#endif
