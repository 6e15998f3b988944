/* SPDX-License-Identifier: MIT */
#include "ui/keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "ui/input.h"

#define L   (1u << PANE_LIST)
#define G   (1u << PANE_LOGS)
#define D   (1u << PANE_DETAIL)
#define E   (1u << PANE_EVENTS)
#define ALL (L | G | D | E)

#define KEYS(a, g, p, k) .action = ACT_##a, .group = KEYS_##g, .panes = (p), .keys = (k)

const struct keybind keymap[] = {
	{KEYS(DOWN, MOVE, ALL, "j Down"), .brief = "", .doc = "one line down"},
	{KEYS(UP, MOVE, ALL, "k Up"), .brief = "", .doc = "one line up"},
	{KEYS(TOP, MOVE, ALL, "g Home"), .brief = "", .doc = "to the first line"},
	{KEYS(BOTTOM, MOVE, ALL, "G End"), .brief = "", .doc = "to the last line"},
	{KEYS(PAGE_DOWN, MOVE, ALL, "PgDn"), .brief = "", .doc = "a page down"},
	{KEYS(PAGE_UP, MOVE, ALL, "PgUp"), .brief = "", .doc = "a page up"},
	{KEYS(HALF_DOWN, MOVE, ALL, "Ctrl-D"), .brief = "", .doc = "half a page down"},
	{KEYS(HALF_UP, MOVE, ALL, "Ctrl-U"), .brief = "move", .doc = "half a page up"},
	{KEYS(NEXT_PANE, MOVE, ALL, "Tab"), .brief = "next pane", .doc = "to the next pane"},
	{KEYS(PREV_PANE, MOVE, ALL, "Shift-Tab"), .brief = "back", .doc = "to the pane before"},
	{KEYS(PANE, MOVE, L | D | E, "1 2 3 4"), .brief = "pane",
	 .doc = "to list, logs, detail, events"},
	{KEYS(ZOOM, MOVE, ALL, "z"), .brief = "zoom", .doc = "this pane alone, and back"},

	{KEYS(CLOSE, TREE, L, "Left"), .brief = "close", .doc = "close, or to the app above"},
	{KEYS(OPEN, TREE, L, "Right"), .brief = "open", .doc = "show the instances"},
	{KEYS(TOGGLE, TREE, L, "x"), .brief = "toggle", .doc = "open or close"},
	{KEYS(TOGGLE_ALL, TREE, L, "X"), .brief = "all", .doc = "open or close all"},
	{KEYS(FORM, TREE, L | D | E, "t"), .also = "F5", .brief = "tree or flat",
	 .doc = "tree, flat, by namespace", .foot = "tree", .flags = KEY_WIDE},

	{KEYS(FILTER, FIND, L | D | E, "/"), .also = "F4", .brief = "filter list",
	 .doc = "only what matches: text, ERE, !x, cpu>50", .foot = "filter", .rank = 2,
	 .flags = KEY_WIDE},
	{KEYS(ESCAPE, FIND, ALL, "Esc"), .brief = "clear",
	 .doc = "clear search, filter, marks; never quits"},
	{KEYS(UNHEALTHY, FIND, L | D | E, "f"), .brief = "unhealthy only",
	 .doc = "only apps that need eyes"},

	{KEYS(SORT_PREV, SORT, L | D | E, "<"), .brief = "", .doc = "sort by the column before"},
	{KEYS(SORT_NEXT, SORT, L | D | E, ">"), .brief = "column",
	 .doc = "sort by the next column"},
	{KEYS(REVERSE, SORT, L | D | E, "I"), .brief = "reverse", .doc = "the other way round"},
	{KEYS(SORT_MENU, SORT, L | D | E, "O"), .also = "F6", .brief = "menu",
	 .doc = "choose what to sort by", .foot = "sort", .flags = KEY_WIDE},

	{KEYS(MARK, MARK, L, "Space"), .brief = "mark",
	 .doc = "mark, for actions; daemon away: look now"},
	{KEYS(MARK_ALL, MARK, L | D | E, "V"), .brief = "all shown",
	 .doc = "mark all that is shown"},
	{KEYS(UNMARK, MARK, L | D | E, "U"), .brief = "unmark all", .doc = "unmark all"},

	{KEYS(RELOAD, DO, ALL, "r"), .also = "F8", .brief = "reload",
	 .doc = "reload: replace without a gap", .foot = "reload", .rank = 5,
	 .flags = KEY_DAEMON | KEY_WIDE},
	{KEYS(START, DO, ALL, "s"), .also = "F7", .brief = "start", .doc = "start", .foot = "start",
	 .rank = 6, .flags = KEY_DAEMON | KEY_WIDE},
	{KEYS(MORE, DO, ALL, "+"), .brief = "", .doc = "scale up: edit the number, Enter",
	 .flags = KEY_DAEMON},
	{KEYS(FEWER, DO, ALL, "-"), .brief = "scale", .doc = "scale down: edit the number, Enter",
	 .flags = KEY_DAEMON},
	{KEYS(MENU, DO, L | G | D, "Enter"), .brief = "menu of all actions", .doc = "all actions",
	 .foot = "actions", .rank = 3, .flags = KEY_WIDE},

	{KEYS(STOP, ASKS, ALL, "S"), .also = "F9", .brief = "stop", .doc = "stop", .foot = "stop",
	 .rank = 7, .flags = KEY_DAEMON | KEY_WIDE},
	{KEYS(RESTART, ASKS, ALL, "R"), .brief = "restart",
	 .doc = "restart: stop, then start, one by one", .foot = "restart", .rank = 100,
	 .flags = KEY_DAEMON | KEY_WIDE},
	{KEYS(SIGNAL, ASKS, ALL, "K"), .brief = "signal", .doc = "send a signal, from a menu",
	 .flags = KEY_DAEMON},
	{KEYS(DELETE, ASKS, ALL, "D"), .brief = "delete", .doc = "stop and forget; wants the name",
	 .flags = KEY_DAEMON},

	{KEYS(LOGS, LOGS, ALL, "l"), .brief = "full", .doc = "the logs alone, and back",
	 .foot = "logs", .rank = 8},
	{KEYS(SEARCH, LOGS, G, "/"), .also = "F3", .brief = "search",
	 .doc = "search in all that is stored, backwards", .foot = "search", .rank = 2,
	 .flags = KEY_WIDE},
	{KEYS(NEXT, LOGS, ALL, "n"), .brief = "", .doc = "to the next older hit"},
	{KEYS(PREV, LOGS, ALL, "N"), .brief = "next, previous", .doc = "to the next younger hit"},
	{KEYS(LOG_FILTER, LOGS, ALL, "&"), .brief = "filter",
	 .doc = "only lines that match; ! in front: others"},
	{KEYS(ERR_ONLY, LOGS, ALL, "!"), .brief = "stderr only", .doc = "only lines of stderr"},
	{KEYS(FOLLOW, LOGS, G, "F"), .brief = "follow", .doc = "follow what is written, or not",
	 .foot = "follow", .rank = 4},
	{KEYS(SINCE, LOGS, G, "0 1 2 3 4 5 6"), .brief = "since",
	 .doc = "end, oldest, from 1 5 15 30 min, 1 h ago"},
	{KEYS(WRAP, LOGS, G, "w"), .brief = "wrap", .doc = "wrap long lines", .foot = "wrap",
	 .rank = 9},
	{KEYS(LEFT, LOGS, G, "Left"), .brief = "", .doc = "half a page to the left"},
	{KEYS(RIGHT, LOGS, G, "Right"), .brief = "sideways", .doc = "half a page to the right"},
	{KEYS(TIMES, LOGS, G, "t"), .brief = "time", .doc = "with the time of each line, or not"},
	{KEYS(JSON, LOGS, G, "J"), .brief = "JSON", .doc = "fold lines that are JSON"},
	{KEYS(MARK_LINE, LOGS, G, "M"), .brief = "mark", .doc = "mark this line"},
	{KEYS(COPY, LOGS, G, "y"), .brief = "copy",
	 .doc = "copy this line to the clipboard (OSC 52)"},
	{KEYS(PAGER, LOGS, ALL, "o"), .brief = "pager", .doc = "the log files in $PAGER"},
	{KEYS(SAVE, LOGS, G, "W"), .brief = "write", .doc = "write these lines to a file"},

	{KEYS(DETAIL, VIEW, ALL, "d"), .brief = "detail", .doc = "to the detail, and back"},
	{KEYS(EVENTS, VIEW, ALL, "e"), .brief = "events", .doc = "to the events, and back"},
	{KEYS(GO_TO_EVENT, VIEW, E, "Enter"), .brief = "its logs",
	 .doc = "the logs at the moment of this event", .foot = "its logs", .rank = 3},
	{KEYS(ALERTS, VIEW, ALL, "A"), .brief = "alerts", .doc = "all that needs eyes, since when"},
	{KEYS(ACKNOWLEDGE, VIEW, ALL, "a"), .brief = "acknowledge",
	 .doc = "acknowledge all; what changes comes back"},
	{KEYS(PLAN, VIEW, ALL, "P"), .brief = "plan",
	 .doc = "what the file changes; Enter applies it", .flags = KEY_DAEMON},
	{KEYS(COLUMNS, VIEW, L | D | E, "c"), .also = "F2", .brief = "columns",
	 .doc = "choose the columns", .foot = "columns", .flags = KEY_WIDE},
	{KEYS(THEME, VIEW, ALL, "T"), .brief = "theme", .doc = "the next theme"},

	{KEYS(COMMAND, OTHER, ALL, ":"), .brief = "command line (any pmctl command)",
	 .doc = "any pmctl command; Tab completes", .foot = "cmd", .rank = 10},
	{KEYS(MOUSE, OTHER, ALL, "m"), .brief = "mouse on/off",
	 .doc = "the mouse is ours, or the terminal's"},
	{KEYS(PAUSE, OTHER, ALL, "p"), .brief = "pause",
	 .doc = "read and draw nothing until a key comes"},
	{KEYS(SUSPEND, OTHER, ALL, "Ctrl-Z"), .brief = "suspend", .doc = "suspend"},
	{KEYS(REDRAW, OTHER, ALL, "Ctrl-L"), .brief = "redraw", .doc = "draw all anew"},
	{KEYS(HELP, OTHER, ALL, "? h"), .also = "F1", .brief = "help", .doc = "these keys",
	 .foot = "help", .rank = 1, .flags = KEY_WIDE},
	{KEYS(QUIT, OTHER, ALL, "q"), .brief = "quit (apps keep running)",
	 .doc = "close, then quit; the apps keep running", .foot = "quit", .rank = 0},
	{KEYS(QUIT_NOW, OTHER, ALL, "Q Ctrl-C"), .also = "F10", .brief = "at once",
	 .doc = "quit at once", .foot = "quit", .rank = 100, .flags = KEY_WIDE},
};
const size_t keymap_count = ARRAY_LEN(keymap);

static const struct {
	const char *name;
	uint32_t key;
} names[] = {
	{"Down", UK_ARROW_DOWN}, {"Up", UK_ARROW_UP},	    {"Left", UK_ARROW_LEFT},
	{"Home", UK_TOP},	 {"Right", UK_ARROW_RIGHT}, {"End", UK_BOTTOM},
	{"PgDn", UK_PAGE_DOWN},	 {"PgUp", UK_PAGE_UP},	    {"Tab", UK_TAB},
	{"Enter", UK_RETURN},	 {"Shift-Tab", UK_BACKTAB}, {"Space", ' '},
	{"Esc", UK_ESC},
};

static uint32_t key_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, name) == 0) {
			return names[i].key;
		}
	}
	if (strncmp(name, "Ctrl-", 5) == 0) {
		return UK_CTRL((unsigned char)name[5]);
	}
	if (name[0] == 'F' && name[1]) {
		return UK_FN + (uint32_t)atoi(name + 1);
	}
	return (unsigned char)name[0];
}

uint32_t keymap_key(const char *keys, size_t k, char *name)
{
	char word[16];
	const char *s = keys ? keys : "";
	for (; k > 0 && *s; k--) {
		s += strcspn(s, " ");
		s += *s == ' ';
	}
	if (!*s) {
		return UK_NONE;
	}
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(s, " "), s);
	if (name) {
		memcpy(name, word, sizeof(word));
	}
	return key_of(word);
}

static bool has_key(const char *keys, uint32_t key)
{
	uint32_t k;
	for (size_t i = 0; (k = keymap_key(keys, i, NULL)) != UK_NONE; i++) {
		if (k == key) {
			return true;
		}
	}
	return false;
}

const struct keybind *keymap_find(uint32_t key, enum ui_pane pane)
{
	for (size_t i = 0; i < keymap_count; i++) {
		const struct keybind *b = &keymap[i];
		if ((b->panes & 1u << pane && has_key(b->keys, key)) || has_key(b->also, key)) {
			return b;
		}
	}
	return NULL;
}

const struct keybind *keymap_row(enum action action)
{
	for (size_t i = 0; i < keymap_count; i++) {
		if (keymap[i].action == action) {
			return &keymap[i];
		}
	}
	return NULL;
}

const char *keymap_group(enum key_group group)
{
	static const char *const words[KEYS_GROUPS] = {"MOVE", "TREE", "FIND", "SORT", "MARK",
						       "DO",   "ASKS", "LOGS", "VIEW", "OTHER"};
	return words[group];
}
