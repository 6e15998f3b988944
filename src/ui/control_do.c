/* SPDX-License-Identifier: MIT */
/* What changes the apps: at once, after a question that states the effect, or from a menu. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "ui/control_priv.h"

/* What stands in the menu of actions besides those of the key table. */
enum { MENU_WHY = ACT_COUNT, MENU_SHOW, MENU_RESET };

void do_command(struct ui *u, const char *fmt, ...)
{
	char line[EFFECTS_TEXT];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line)) {
		ui_say(u, UI_FAIL, true, "that is more than a command takes; nothing was done");
	} else {
		effects_add(&u->effects, EFFECT_COMMAND, 0, line);
	}
}

static bool find_targets(struct ui *u, struct targets *t)
{
	if (!targets_find(t, u)) {
		ui_say(u, UI_WARN, true, "nothing is selected");
	} else if (t->cut) {
		ui_say(u, UI_WARN, true, "too many are marked for one command; nothing was done");
	} else {
		return true;
	}
	return false;
}

static const char *verb_of(enum action action)
{
	return action == ACT_RELOAD    ? "reload"
	       : action == ACT_START   ? "start"
	       : action == ACT_STOP    ? "stop"
	       : action == ACT_RESTART ? "restart"
				       : "delete";
}

void do_at_once(struct ui *u, enum action action, uint32_t key)
{
	struct targets t;
	(void)key;
	if (find_targets(u, &t)) {
		do_command(u, "%s %s", verb_of(action), t.sel);
	}
}

/* --- questions --- */

static const char *s_of(int n)
{
	return n == 1 ? "" : "s";
}

static void say_restart(struct overlay *o, const struct targets *t)
{
	if (t->insts == 1) {
		overlay_say(o, "1 instance stops and starts; requests may be lost.\n");
	} else {
		overlay_say(o,
			    "%d instances stop and start one after the other; requests may be "
			    "lost.\n",
			    t->insts);
	}
}

static void say_stop(struct overlay *o, const struct targets *t)
{
	if (t->running == 0) {
		overlay_say(o, "None of %d instance%s runs.\n", t->insts, s_of(t->insts));
		return;
	}
	overlay_say(o,
		    "%d running instance%s stop%s and stay%s stopped, also over a restart of the "
		    "daemon; requests may be lost.\n",
		    t->running, s_of(t->running), t->running == 1 ? "s" : "",
		    t->running == 1 ? "s" : "");
}

static void say_delete(struct overlay *o, const struct ui *u)
{
	struct buf list = {0};
	targets_list(u, &list);
	overlay_say(o,
		    "%s will stop and leave the daemon.\nLog files and pmctl.ini are not "
		    "touched.\n",
		    list.data);
	buf_finish(&list);
}

static void say_effect(struct ui *u, enum action action, const struct targets *t)
{
	struct overlay *o = &u->overlay;
	if (action == ACT_DELETE) {
		say_delete(o, u);
		return;
	}
	if (action == ACT_RESTART) {
		say_restart(o, t);
	} else {
		say_stop(o, t);
	}
	if (t->running > 0) {
		overlay_say(o, "For a replacement without a gap press r instead.\n");
	}
}

/* The name has to be typed; of several, how many they are. */
static void want_name(struct overlay *o, const struct targets *t)
{
	if (t->n == 1) {
		snprintf(o->name, sizeof(o->name), "%s", t->name);
		snprintf(o->label, sizeof(o->label), "Type the name to confirm:  ");
	} else {
		snprintf(o->name, sizeof(o->name), "%d", t->n);
		snprintf(o->label, sizeof(o->label), "Type %d to confirm:  ", t->n);
	}
}

static void offer_answers(struct overlay *o, enum action action, const struct targets *t)
{
	overlay_choice(o, 'y', (int)action, "%s", verb_of(action));
	if (t->running > 0) {
		overlay_choice(o, 'r', ACT_RELOAD, "reload instead");
	}
	overlay_choice(o, 'n', ACT_NONE, "no (default)");
	o->sel = o->nchoices - 1;
}

void do_ask(struct ui *u, enum action action, uint32_t key)
{
	struct targets t;
	struct overlay *o = &u->overlay;
	const char *verb = verb_of(action);
	(void)key;
	if (!find_targets(u, &t)) {
		return;
	}
	if (action == ACT_DELETE && t.parts) {
		ui_say(u, UI_WARN, true, "delete takes whole apps; fewer instances: -");
		return;
	}
	if (action == ACT_DELETE || t.broad) {
		overlay_open(o, OVERLAY_CONFIRM, (int)action,
			     "%c%s %s: %d app%s, %d running instance%s", verb[0] - 'a' + 'A',
			     verb + 1, t.name, t.apps, s_of(t.apps), t.running, s_of(t.running));
		say_effect(u, action, &t);
		want_name(o, &t);
	} else {
		overlay_open(o, OVERLAY_CONFIRM, (int)action, "%c%s %s?", verb[0] - 'a' + 'A',
			     verb + 1, t.name);
		say_effect(u, action, &t);
		offer_answers(o, action, &t);
	}
	snprintf(o->target, sizeof(o->target), "%s", t.sel);
}

void do_answer(struct ui *u, int what)
{
	char target[OVERLAY_TARGET];
	snprintf(target, sizeof(target), "%s", u->overlay.target);
	overlay_close(&u->overlay);
	if (what == ACT_NONE) {
		return;
	}
	if (u->model.link != UI_LINK_UP) { /* it went away meanwhile */
		ui_say(u, UI_WARN, true, "actions are off while disconnected");
	} else if (what == ACT_PLAN) {
		/* this one and no other, should the file or what runs have changed meanwhile */
		do_command(u, "apply%s%s", target[0] ? " --if-plan " : "", target);
	} else {
		do_command(u, "%s %s", verb_of((enum action)what), target);
	}
}

/* --- scale --- */

void do_scale(struct ui *u, enum action action, uint32_t key)
{
	struct targets t;
	char label[MODEL_NAME * 2 + 48], number[16];
	(void)key;
	if (!find_targets(u, &t)) {
		return;
	}
	if (!t.app || t.app->instances < 1) {
		ui_say(u, UI_WARN, true, "scale one app at a time");
		return;
	}
	int n = t.app->instances + (action == ACT_MORE ? 1 : -1);
	snprintf(label, sizeof(label), "scale %s from %d to: ", t.app->name, t.app->instances);
	snprintf(number, sizeof(number), "%d", n < 1 ? 1 : n);
	overlay_ask(u, PROMPT_SCALE, label, number);
	snprintf(u->overlay.target, sizeof(u->overlay.target), "%s", t.app->name);
}

void do_scale_typed(struct ui *u, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (end == text || *end || n < 0 || n > 100000) {
		ui_say(u, UI_FAIL, true, "\"%.40s\" is no number of instances", text);
	} else if (u->model.link != UI_LINK_UP) {
		ui_say(u, UI_WARN, true, "actions are off while disconnected");
	} else {
		do_command(u, "scale %s %ld", u->overlay.target, n);
	}
}

/* --- menus --- */

void do_signal(struct ui *u, enum action action, uint32_t key)
{
	static const struct {
		char key;
		const char *name;
		const char *doc;
	} signals[] = {{'t', "SIGTERM", "end"},
		       {'h', "SIGHUP", "often: read the configuration again"},
		       {'i', "SIGINT", "as Ctrl-C"},
		       {'Q', "SIGQUIT", "end with a core"},
		       {'1', "SIGUSR1", ""},
		       {'2', "SIGUSR2", ""},
		       {'w', "SIGWINCH", ""},
		       {'s', "SIGSTOP", "freeze"},
		       {'c', "SIGCONT", "go on"},
		       {'9', "SIGKILL", "end at once, unsaved"}};
	struct targets t;
	(void)action;
	(void)key;
	if (!find_targets(u, &t)) {
		return;
	}
	overlay_open(&u->overlay, OVERLAY_MENU, MENU_SIGNALS, "Signal to %s: %d running", t.name,
		     t.running);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		overlay_choice(&u->overlay, (uint32_t)signals[i].key, (int)i, "%-9s %s",
			       signals[i].name, signals[i].doc);
	}
	snprintf(u->overlay.target, sizeof(u->overlay.target), "%s", t.sel);
}

void do_menu(struct ui *u, enum action action, uint32_t key)
{
	struct targets t;
	(void)action;
	(void)key;
	if (!find_targets(u, &t)) {
		return;
	}
	struct overlay *o = &u->overlay;
	overlay_open(o, OVERLAY_MENU, MENU_ACTIONS, "%s", t.name);
	for (size_t i = 0; i < keymap_count; i++) {
		const struct keybind *b = &keymap[i];
		if ((b->group == KEYS_DO || b->group == KEYS_ASKS) && b->action != ACT_MENU) {
			overlay_choice(o, keymap_key(b->keys, 0, NULL), (int)b->action, "%s",
				       b->doc);
		}
	}
	overlay_choice(o, 'w', MENU_WHY, "why: what happened to it");
	overlay_choice(o, 'i', MENU_SHOW, "show: all that is known of it");
	overlay_choice(o, 'u', MENU_RESET, "reset: restart counters to zero");
	overlay_choice(o, 'l', ACT_LOGS, "%s", keymap_row(ACT_LOGS)->doc);
	overlay_choice(o, 'o', ACT_PAGER, "%s", keymap_row(ACT_PAGER)->doc);
	snprintf(o->target, sizeof(o->target), "%s", t.sel);
}

static void take_signal(struct ui *u, const struct overlay_choice *c)
{
	if (u->model.link != UI_LINK_UP) {
		ui_say(u, UI_WARN, true, "actions are off while disconnected");
	} else {
		do_command(u, "signal %.*s %s", (int)strcspn(c->label, " "), c->label,
			   u->overlay.target);
	}
}

void do_menu_choice(struct ui *u, const struct overlay_choice *c)
{
	static const char *const verbs[] = {"why", "show", "reset"};
	struct overlay_choice chosen = *c; /* the next box may take its place */
	overlay_close(&u->overlay);
	if (u->overlay.what == MENU_SIGNALS) {
		take_signal(u, &chosen);
	} else if (chosen.what >= MENU_WHY) {
		do_command(u, "%s %s", verbs[chosen.what - MENU_WHY], u->overlay.target);
	} else {
		control_action(u, (enum action)chosen.what, chosen.key);
	}
}
