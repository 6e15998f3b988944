/* SPDX-License-Identifier: MIT */
/* Keys while a box or a prompt is open. */
#include <stdio.h>
#include <string.h>

#include "ui/control_priv.h"

/* --- prompts --- */

void overlay_ask(struct ui *u, enum prompt_kind kind, const char *label, const char *text)
{
	overlay_open(&u->overlay, OVERLAY_PROMPT, (int)kind, "%s", label);
	prompt_set(&u->overlay.input, text);
	snprintf(u->overlay.before, sizeof(u->overlay.before), "%s", text);
}

void overlay_prompt(struct ui *u, enum action action, uint32_t key)
{
	char text[PROMPT_TEXT];
	(void)key;
	switch (action) {
	case ACT_FILTER:
		overlay_ask(u, PROMPT_FILTER, "/", u->rows.filter);
		break;
	case ACT_SEARCH:
		overlay_ask(u, PROMPT_SEARCH, "search logs: /", "");
		snprintf(u->overlay.before, sizeof(u->overlay.before), "%s", u->logs.search);
		break;
	case ACT_LOG_FILTER:
		snprintf(text, sizeof(text), "%s%s",
			 u->logs.filter[0] && u->logs.filter_not ? "!" : "", u->logs.filter);
		overlay_ask(u, PROMPT_LOG_FILTER, "filter logs: &", text);
		break;
	case ACT_SAVE:
		snprintf(text, sizeof(text), "pmctl-%.64s.log", u->logs.title);
		for (char *s = text; *s; s++) {
			*s = *s == ':' || *s == ' ' || *s == '/' ? '-' : *s;
		}
		overlay_ask(u, PROMPT_SAVE, "write these lines to: ", text);
		break;
	default:
		overlay_ask(u, PROMPT_COMMAND, ":", "");
	}
}

/* Filters and searches work while they are typed. False: not with this text. */
static bool typed(struct ui *u, const char *text, bool done)
{
	int kind = u->overlay.what;
	if (kind == PROMPT_FILTER) {
		snprintf(u->rows.filter, sizeof(u->rows.filter), "%.*s", FILTER_TEXT - 1, text);
	} else if (kind == PROMPT_SEARCH || kind == PROMPT_LOG_FILTER) {
		return logs_typed(u, kind, text, done);
	}
	return true;
}

static void run_command(struct ui *u, const char *text)
{
	text += strspn(text, " ");
	text += strncmp(text, "pmctl ", 6) == 0 ? 6 : 0;
	size_t len = strlen(text);
	while (len > 0 && text[len - 1] == ' ') {
		len--;
	}
	if (strcmp(text, "q") == 0 || strcmp(text, "quit") == 0) {
		effects_add(&u->effects, EFFECT_QUIT, 0, NULL);
	} else if (len > 0) {
		do_command(u, "%.*s", (int)len, text);
	}
}

static void enter(struct ui *u)
{
	struct overlay *o = &u->overlay;
	const char *text = o->input.text;
	overlay_close(o);
	if (o->what <= PROMPT_COMMAND) {
		prompt_remember(&u->history[o->what], text);
	}
	switch (o->what) {
	case PROMPT_COMMAND:
		run_command(u, text);
		break;
	case PROMPT_SCALE:
		do_scale_typed(u, text);
		break;
	case PROMPT_SAVE:
		if (text[0]) {
			effects_add(&u->effects, EFFECT_SAVE, 0, text);
		}
		break;
	default:
		if (!typed(u, text, true)) {
			o->kind = OVERLAY_PROMPT; /* to mend it */
		}
	}
}

/* The k-th command, app or instance. */
static const char *word_at(void *ctx, int word, size_t k)
{
	const struct ui *u = ctx;
	if (word == 0) {
		for (size_t i = 0; u->commands && u->commands[i]; i++) {
			if (i == k) {
				return u->commands[i];
			}
		}
		return NULL;
	}
	return k < (size_t)u->model.napps    ? u->model.app[k]->name
	       : k == (size_t)u->model.napps ? "all"
					     : NULL;
}

static void complete(struct ui *u)
{
	char several[sizeof(u->status.text)];
	prompt_complete(&u->overlay.input, word_at, u, several, sizeof(several));
	if (several[0]) {
		ui_say(u, UI_PLAIN, false, "%s", several);
	}
}

static void prompt_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	const struct prompt_history *h = o->what <= PROMPT_COMMAND ? &u->history[o->what] : NULL;
	bool empty = !o->input.text[0];
	if (in->key == UK_ESC || in->key == UK_CTRL('c') || (in->key == UK_BACK && empty)) {
		typed(u, o->before, false);
		overlay_close(o);
	} else if (in->key == UK_RETURN) {
		enter(u);
	} else if (in->key == UK_TAB && o->what == PROMPT_COMMAND) {
		complete(u);
	} else if (prompt_key(&o->input, h, in->key)) {
		typed(u, o->input.text, false);
	}
}

/* --- moving in a box --- */

/* False: the key is none of moving. */
static bool move_input(struct overlay *o, uint32_t key)
{
	int page = o->kind == OVERLAY_MENU ? 10 : o->height > 1 ? o->height - 1 : 1;
	const struct keybind *b = keymap_find(key, PANE_LIST);
	switch (b ? b->action : ACT_NONE) {
	case ACT_DOWN:
		overlay_move(o, 1);
		return true;
	case ACT_UP:
		overlay_move(o, -1);
		return true;
	case ACT_PAGE_DOWN:
	case ACT_HALF_DOWN:
		overlay_move(o, page);
		return true;
	case ACT_PAGE_UP:
	case ACT_HALF_UP:
		overlay_move(o, -page);
		return true;
	case ACT_TOP:
		overlay_move(o, -(1 << 20));
		return true;
	case ACT_BOTTOM:
		overlay_move(o, 1 << 20);
		return true;
	default:
		return false;
	}
}

/* --- questions --- */

static void move_answer(struct overlay *o, int by)
{
	o->sel = (o->sel + by + o->nchoices) % o->nchoices;
}

static void name_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	if (in->key == UK_RETURN && strcmp(o->input.text, o->name) == 0) {
		do_answer(u, o->what);
	} else if (in->key == UK_RETURN && o->input.text[0]) {
		ui_say(u, UI_WARN, true, "\"%.40s\" is not \"%s\"; nothing was done", o->input.text,
		       o->name);
		overlay_close(o);
	} else if (in->key == UK_RETURN) {
		overlay_close(o);
	} else if (!prompt_key(&o->input, NULL, in->key)) {
		move_input(o, in->key);
	}
}

static void confirm_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	for (int i = 0; i < o->nchoices; i++) {
		if (o->choice[i].key == in->key) {
			do_answer(u, o->choice[i].what);
			return;
		}
	}
	switch (in->key) {
	case UK_RETURN:
		do_answer(u, o->choice[o->sel].what);
		break;
	case UK_ARROW_LEFT:
	case UK_BACKTAB:
	case 'h':
		move_answer(o, -1);
		break;
	case UK_ARROW_RIGHT:
	case UK_TAB:
	case 'l':
		move_answer(o, 1);
		break;
	case 'q':
		overlay_close(o);
		break;
	default:
		move_input(o, in->key);
	}
}

/* --- menus, text, help --- */

static void menu_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	for (int i = 0; i < o->nchoices; i++) {
		if (o->choice[i].key && o->choice[i].key == in->key) {
			o->sel = i;
			if (o->what != MENU_SIGNALS) { /* there Enter sends */
				menu_choice(u, &o->choice[i]);
			}
			return;
		}
	}
	if ((in->key == UK_RETURN || in->key == ' ') && o->nchoices > 0) {
		bool is_check = o->what == MENU_COLUMNS;
		if (is_check && in->key == UK_RETURN) {
			overlay_close(o);
		} else {
			menu_choice(u, &o->choice[o->sel]);
		}
	} else if (in->key == 'q') {
		overlay_close(o);
	} else {
		move_input(o, in->key);
	}
}

static void ask_apply(struct ui *u)
{
	struct overlay *o = &u->overlay;
	overlay_open(o, OVERLAY_CONFIRM, ACT_PLAN, "Apply this plan?");
	snprintf(o->target, sizeof(o->target), "%s", u->output.plan);
	overlay_say(o, "What runs is made to match pmctl.ini, as the plan says.\n");
	overlay_choice(o, 'y', ACT_PLAN, "apply");
	overlay_choice(o, 'n', ACT_NONE, "no (default)");
	o->sel = 1;
}

static void text_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	if (in->key == UK_RETURN && o->what == BOX_PLAN) {
		ask_apply(u);
	} else if (in->key == 'a' && o->what == BOX_ALERTS) {
		control_action(u, ACT_ACKNOWLEDGE, in->key);
		overlay_close(o);
	} else if (in->key == UK_RETURN || in->key == 'q' || in->key == ' ') {
		overlay_close(o);
	} else {
		move_input(o, in->key);
	}
}

static void help_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	const struct keybind *b = keymap_find(in->key, PANE_LIST);
	if (o->searching && in->key == UK_RETURN) {
		o->searching = false;
	} else if (o->searching) {
		o->top = prompt_key(&o->input, NULL, in->key) ? 0 : o->top;
	} else if (in->key == '/') {
		o->searching = true;
	} else if (in->key == UK_RETURN || in->key == 'q' || (b && b->action == ACT_HELP)) {
		overlay_close(o);
	} else {
		move_input(o, in->key);
	}
}

/* Esc ends a search in the help first. */
static void escape(struct overlay *o)
{
	if (o->kind == OVERLAY_HELP && (o->searching || o->input.text[0])) {
		o->searching = false;
		prompt_set(&o->input, "");
		o->top = 0;
	} else {
		overlay_close(o);
	}
}

void overlay_input(struct ui *u, const struct ui_input *in)
{
	struct overlay *o = &u->overlay;
	if (o->kind == OVERLAY_PROMPT) {
		prompt_input(u, in);
	} else if (in->key == UK_ESC || in->key == UK_CTRL('c')) {
		escape(o);
	} else if (o->kind == OVERLAY_CONFIRM && o->name[0]) {
		name_input(u, in);
	} else if (o->kind == OVERLAY_CONFIRM) {
		confirm_input(u, in);
	} else if (o->kind == OVERLAY_MENU) {
		menu_input(u, in);
	} else if (o->kind == OVERLAY_TEXT) {
		text_input(u, in);
	} else {
		help_input(u, in);
	}
}
