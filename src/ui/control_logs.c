/* SPDX-License-Identifier: MIT */
/* The log pane: what is looked at, and what leaves it. */
#include <stdio.h>
#include <string.h>

#include "ui/control_priv.h"

void logs_full(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	if (u->focus == PANE_LOGS && u->zoom) {
		list_home(u);
	} else {
		u->focus = PANE_LOGS;
		u->zoom = true;
	}
}

/* To the next hit; among those that are stored if there is none here. */
static void go_on(struct ui *u, int dir)
{
	if (!logpane_next(&u->logs, dir)) {
		effects_add(&u->effects, EFFECT_SEARCH, dir, u->logs.search);
	}
}

void logs_next(struct ui *u, enum action action, uint32_t key)
{
	(void)key;
	if (!u->logs.search[0]) {
		ui_say(u, UI_PLAIN, false, "nothing is searched for; to search in the logs: F3");
		return;
	}
	go_on(u, action == ACT_NEXT ? -1 : 1);
}

bool logs_typed(struct ui *u, int prompt, const char *text, bool done)
{
	char why[160] = "";
	bool ok = prompt == PROMPT_SEARCH ? logpane_search(&u->logs, text, why, sizeof(why))
					  : logpane_filter(&u->logs, text, why, sizeof(why));
	if (done && !ok) {
		ui_say(u, UI_FAIL, true, "%s", why);
	} else if (done && prompt == PROMPT_SEARCH && text[0]) {
		go_on(u, -1);
	}
	return ok;
}

void logs_toggle(struct ui *u, enum action action, uint32_t key)
{
	struct logpane *p = &u->logs;
	(void)key;
	switch (action) {
	case ACT_ERR_ONLY:
		logpane_toggle_err(p);
		break;
	case ACT_FOLLOW:
		logpane_follow(p, !p->follow);
		break;
	case ACT_WRAP:
		logpane_toggle_wrap(p);
		break;
	case ACT_LEFT:
	case ACT_RIGHT:
		logpane_sideways(p, action == ACT_RIGHT ? 1 : -1);
		break;
	case ACT_TIMES:
		logpane_toggle_times(p);
		break;
	case ACT_JSON:
		logpane_toggle_json(p);
		break;
	default:
		logpane_mark(p);
	}
}

void logs_since(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	logpane_since(&u->logs, (int)key - '0', u->model.now_ms);
	effects_add(&u->effects, EFFECT_LOGS, 0, NULL);
}

/* Without the colours: from ESC to the letter that ends it. */
static void copy_plain(const char *text, char *out, size_t cap)
{
	size_t n = 0;
	while (*text && n + 1 < cap) {
		if (*text == '\033') {
			text += strcspn(text, "mK");
			text += *text != '\0';
		} else {
			out[n++] = *text++;
		}
	}
	out[n] = '\0';
}

void logs_copy(struct ui *u, enum action action, uint32_t key)
{
	const struct logpane_line *l = logpane_current(&u->logs);
	char text[EFFECTS_TEXT];
	(void)action;
	(void)key;
	if (!l) {
		return;
	}
	copy_plain(l->text, text, sizeof(text));
	effects_add(&u->effects, EFFECT_COPY, 0, text);
	ui_say(u, UI_PLAIN, false, "line copied, if the terminal allows it");
}

void logs_pager(struct ui *u, enum action action, uint32_t key)
{
	(void)action;
	(void)key;
	effects_add(&u->effects, EFFECT_PAGER, 0, NULL);
}
