/* SPDX-License-Identifier: MIT */
/* What keys and the mouse do: the state that they leave, and the effects that they ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ui/columns.h"
#include "ui/view.h"
#include "uifake.h"
#include "uikeys.h"

static struct ui u;
static struct grid grid;

static void draw(int rows, int cols)
{
	grid_resize(&grid, rows, cols);
	view_draw(&u, &grid);
}

/* The daemon of the drawings on 80x24; web is selected, as a whole. */
static int setup(void **state)
{
	(void)state;
	uifake_make(&u, true);
	rows_select(&u.rows, 0);
	ui_refresh(&u);
	draw(24, 80);
	u.effects.n = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ui_finish(&u);
	grid_finish(&grid);
	return 0;
}

static void expect_selected(const char *want)
{
	char sel[MODEL_NAME * 2];
	ui_selector(&u, sel, sizeof(sel));
	assert_string_equal(sel, want);
}

static void expect_command(const char *want)
{
	const char *got = uikeys_effect(&u, EFFECT_COMMAND);
	if (!want) {
		assert_null(got);
	} else {
		assert_non_null(got);
		assert_string_equal(got, want);
	}
}

static void expect_said(const char *part)
{
	if (!strstr(u.status.text, part) || !u.status.t_ms) {
		fail_msg("\"%s\" is not in \"%s\"", part, u.status.text);
	}
}

/* --- moving --- */

static void moving_in_the_list(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *selected;
	} steps[] = {{"j", "web:0"},	       {"<Down>", "web:1"},	  {"k", "web:0"},
		     {"<Up><Up>", "web"},      {"G", "cron-report"},	  {"g", "web"},
		     {"<End>", "cron-report"}, {"<Home>", "web"},	  {"<Ctrl-D>", "web:3"},
		     {"<Ctrl-U>", "web"},      {"<PgDn>", "cron-report"}, {"<PgUp>", "web"}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uikeys(&u, steps[i].keys);
		expect_selected(steps[i].selected);
	}
	uikeys_mouse(&u, UK_MOUSE_WHEEL_DOWN, 4, 10);
	expect_selected("web:2");
}

static void opening_and_closing(void **state)
{
	(void)state;
	uikeys(&u, "jj<Left>");
	expect_selected("web");
	uikeys(&u, "<Left>");
	assert_false(model_find(&u.model, "web")->open);
	uikeys(&u, "<Right>");
	assert_true(model_find(&u.model, "web")->open);
	uikeys(&u, "<Right>");
	expect_selected("web:0");
	uikeys(&u, "gx");
	assert_false(model_find(&u.model, "web")->open);
	uikeys(&u, "X");
	assert_true(model_find(&u.model, "web")->open && model_find(&u.model, "mailer")->open);
	uikeys(&u, "X");
	assert_false(model_find(&u.model, "web")->open || model_find(&u.model, "mailer")->open);
	uikeys(&u, "tt");
	assert_int_equal(u.rows.form, ROWS_NAMESPACES);
	uikeys(&u, "g");
	expect_selected("@shop");
	uikeys(&u, "<Left>j");
	assert_string_not_equal(u.rows.sel_app, "web");
	uikeys(&u, "<F5>");
	assert_int_equal(u.rows.form, ROWS_TREE);
}

/* Namespaces are roots where there is much room, until one chooses. */
static void the_form_follows_the_width(void **state)
{
	(void)state;
	ui_resize(&u, 50, 200);
	assert_int_equal(u.rows.form, ROWS_NAMESPACES);
	ui_resize(&u, 24, 80);
	assert_int_equal(u.rows.form, ROWS_TREE);
	uikeys(&u, "t");
	ui_resize(&u, 50, 200);
	assert_int_equal(u.rows.form, ROWS_FLAT);
}

static void panes_and_zoom(void **state)
{
	(void)state;
	uikeys(&u, "<Tab>");
	assert_int_equal(u.focus, PANE_LOGS);
	uikeys(&u, "<Tab><Tab><Tab>");
	assert_int_equal(u.focus, PANE_LIST);
	uikeys(&u, "<Shift-Tab>");
	assert_int_equal(u.focus, PANE_EVENTS);
	uikeys(&u, "3");
	assert_int_equal(u.focus, PANE_DETAIL);
	uikeys(&u, "z");
	assert_true(u.zoom);
	uikeys(&u, "q");
	assert_true(!u.zoom && u.focus == PANE_LIST);
	assert_null(uikeys_effect(&u, EFFECT_QUIT));
	uikeys(&u, "l");
	assert_true(u.zoom && u.focus == PANE_LOGS);
	uikeys(&u, "l");
	assert_true(!u.zoom && u.focus == PANE_LIST);
	uikeys(&u, "de");
	assert_int_equal(u.focus, PANE_EVENTS);
	uikeys(&u, "e");
	assert_int_equal(u.focus, PANE_LIST);
	uikeys(&u, "q");
	assert_non_null(uikeys_effect(&u, EFFECT_QUIT));
}

/* --- what is shown --- */

static void a_filter_works_while_it_is_typed(void **state)
{
	(void)state;
	uikeys(&u, "/work");
	assert_string_equal(u.rows.filter, "work");
	assert_int_equal(u.overlay.kind, OVERLAY_PROMPT);
	uikeys(&u, "<Enter>");
	assert_int_equal(u.overlay.kind, OVERLAY_NONE);
	expect_selected("worker");
	uikeys(&u, "/x<Esc>");
	assert_string_equal(u.rows.filter, "work");
	uikeys(&u, "/<Ctrl-U><Up>");
	assert_string_equal(u.overlay.input.text, "work");
	uikeys(&u, "<Ctrl-U><Enter>");
	assert_string_equal(u.rows.filter, "");
}

static void escape_clears_one_thing_at_a_time_and_never_quits(void **state)
{
	(void)state;
	uikeys(&u, "/web<Enter>f<Space>?");
	uikeys(&u, "<Esc>");
	assert_true(u.overlay.kind == OVERLAY_NONE && u.rows.filter[0]);
	uikeys(&u, "<Esc>");
	assert_true(!u.rows.filter[0] && u.rows.unhealthy);
	uikeys(&u, "<Esc>");
	assert_false(u.rows.unhealthy);
	u.model.app[0]->marked = true;
	uikeys(&u, "3<Esc>");
	assert_true(!u.model.app[0]->marked && u.focus == PANE_DETAIL);
	uikeys(&u, "<Esc>");
	assert_int_equal(u.focus, PANE_LIST);
	uikeys(&u, "<Esc><Esc><Esc>");
	assert_null(uikeys_effect(&u, EFFECT_QUIT));
}

static void sorting_and_columns(void **state)
{
	(void)state;
	uikeys(&u, ">");
	assert_int_equal(u.rows.sort, SORT_MEM);
	uikeys(&u, ">");
	assert_int_equal(u.rows.sort, SORT_ORDER);
	uikeys(&u, "<");
	assert_int_equal(u.rows.sort, SORT_MEM);
	uikeys(&u, "I");
	assert_true(u.rows.reverse);
	uikeys(&u, "<F6>c");
	assert_true(u.rows.sort == SORT_CPU && u.overlay.kind == OVERLAY_NONE);
	uikeys(&u, "Ok<Enter>");
	assert_int_equal(u.rows.sort, SORT_RESTARTS);
	assert_int_equal(u.columns, 0);
	uikeys(&u, "cj<Space>");
	assert_true(u.columns && !(u.columns & 1u << COL_CPU) && u.columns & 1u << COL_STATE);
	uikeys(&u, "<Space><Enter>");
	assert_true(u.columns & 1u << COL_CPU && u.overlay.kind == OVERLAY_NONE);
	uikeys(&u, "cf<Esc>");
	assert_int_equal(u.columns, 0);
}

/* --- actions --- */

static void what_is_safe_asks_nothing(void **state)
{
	(void)state;
	uikeys(&u, "r");
	expect_command("reload web");
	uikeys(&u, "<F7>");
	expect_command("start web");
	uikeys(&u, "jjjr");
	expect_command("reload web:2");
}

static void questions_default_to_no(void **state)
{
	(void)state;
	static const char *const no[] = {"S<Enter>", "Sn",	  "S<Esc>",
					 "Sq",	     "S<Ctrl-C>", "S<Tab><Tab><Tab><Enter>"};
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		uikeys(&u, no[i]);
		expect_command(NULL);
		assert_int_equal(u.overlay.kind, OVERLAY_NONE);
	}
	uikeys(&u, "Sy");
	expect_command("stop web");
	uikeys(&u, "R<Left><Left><Enter>");
	expect_command("restart web");
	uikeys(&u, "Rr");
	expect_command("reload web");
	uikeys(&u, "Rl<Enter>"); /* round to the first answer */
	expect_command("restart web");
	uikeys(&u, "Rx7 j");
	expect_command(NULL);
	assert_int_equal(u.overlay.kind, OVERLAY_CONFIRM);
}

static void questions_state_the_effect(void **state)
{
	(void)state;
	uikeys(&u, "R");
	assert_string_equal(u.overlay.title, "Restart web?");
	assert_string_equal(
		u.overlay.text,
		"4 instances stop and start one after the other; requests may be lost.\n"
		"For a replacement without a gap press r instead.\n");
	uikeys(&u, "<Esc>jR");
	assert_string_equal(u.overlay.title, "Restart web:0?");
	assert_non_null(strstr(u.overlay.text, "1 instance stops and starts;"));
	uikeys(&u, "<Esc>GS");
	assert_string_equal(u.overlay.text, "None of 1 instance runs.\n");
	assert_int_equal(u.overlay.nchoices, 2);
}

static void deleting_wants_the_name(void **state)
{
	(void)state;
	uikeys(&u, "D");
	assert_string_equal(u.overlay.title, "Delete web: 1 app, 4 running instances");
	uikeys(&u, "y<Enter>");
	expect_command(NULL);
	expect_said("\"y\" is not \"web\"; nothing was done");
	uikeys(&u, "D<Enter>");
	expect_command(NULL);
	uikeys(&u, "Dweb<Esc>");
	expect_command(NULL);
	uikeys(&u, "Dwex<Back>b<Enter>");
	expect_command("delete web");
	uikeys(&u, "jD");
	assert_int_equal(u.overlay.kind, OVERLAY_NONE);
	expect_said("delete takes whole apps");
}

static void a_namespace_and_all_want_the_name(void **state)
{
	(void)state;
	uikeys(&u, "ttgS");
	assert_string_equal(u.overlay.title, "Stop @shop: 2 apps, 6 running instances");
	uikeys(&u, "y<Enter>");
	expect_command(NULL);
	uikeys(&u, "S@shop<Enter>");
	expect_command("stop @shop");
	uikeys(&u, "VR");
	assert_string_equal(u.overlay.name, "all");
	uikeys(&u, "all<Enter>");
	expect_command("restart all");
}

static void actions_go_to_all_that_is_marked(void **state)
{
	(void)state;
	uikeys(&u, "<Space>");
	expect_selected("web:0"); /* the next line */
	assert_true(model_find(&u.model, "web")->marked);
	uikeys(&u, "Gk<Space>r");
	expect_command("reload web flaky");
	uikeys(&u, "D");
	assert_string_equal(u.overlay.title, "Delete 2 marked: 2 apps, 4 running instances");
	assert_string_equal(u.overlay.text, "web (4 instances), flaky (1) will stop and leave the "
					    "daemon.\nLog files and pmctl.ini are not touched.\n");
	uikeys(&u, "2<Enter>");
	expect_command("delete web flaky");
	uikeys(&u, "Ugj<Space><Space>r");
	expect_command("reload web:0 web:1");
	uikeys(&u, "Ur");
	expect_command("reload web:2");
}

static void scaling(void **state)
{
	(void)state;
	uikeys(&u, "+");
	assert_string_equal(u.overlay.title, "scale web from 4 to: ");
	assert_string_equal(u.overlay.input.text, "5");
	uikeys(&u, "<Enter>");
	expect_command("scale web 5");
	uikeys(&u, "-<Back>12<Enter>");
	expect_command("scale web 12");
	uikeys(&u, "-x<Enter>");
	expect_command(NULL);
	expect_said("\"3x\" is no number");
	uikeys(&u, "+<Esc>");
	expect_command(NULL);
	uikeys(&u, "V+");
	expect_said("one app at a time");
}

static void signals_begin_with_sigterm_and_want_enter(void **state)
{
	(void)state;
	uikeys(&u, "K");
	expect_command(NULL);
	uikeys(&u, "<Enter>");
	expect_command("signal SIGTERM web");
	uikeys(&u, "K2");
	expect_command(NULL);
	uikeys(&u, "<Enter>");
	expect_command("signal SIGUSR2 web");
	uikeys(&u, "Kq");
	expect_command(NULL);
	assert_int_equal(u.overlay.kind, OVERLAY_NONE);
}

static void the_menu_of_actions(void **state)
{
	(void)state;
	uikeys(&u, "<Enter>r");
	expect_command("reload web");
	uikeys(&u, "<Enter><Enter>");
	expect_command("reload web");
	uikeys(&u, "<Enter>w");
	expect_command("why web");
	uikeys(&u, "<Enter>Sy");
	expect_command("stop web");
	uikeys(&u, "<Enter>l");
	assert_true(u.zoom && u.focus == PANE_LOGS);
}

static void without_a_daemon_actions_are_off(void **state)
{
	(void)state;
	static const char *const keys[] = {"r", "s", "S", "R",	      "K",   "D",
					   "+", "-", "P", "<Enter>r", "<F8>"};
	uikeys(&u, "S"); /* a question that is open */
	u.model.link = UI_LINK_AWAY;
	uikeys(&u, "y");
	expect_command(NULL);
	expect_said("actions are off while disconnected");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		u.status.t_ms = 0;
		uikeys(&u, keys[i]);
		expect_command(NULL);
		expect_said("actions are off while disconnected");
		assert_int_equal(u.overlay.kind, OVERLAY_NONE);
	}
	uikeys(&u, ":daemon start<Enter>");
	expect_command("daemon start");
	uikeys(&u, "<Space>");
	assert_non_null(uikeys_effect(&u, EFFECT_RETRY));
	uikeys(&u, "j");
	expect_selected("web:0");
}

static void paste(const char *text)
{
	for (; *text; text++) {
		struct ui_input in = {.key = (unsigned char)*text, .pasted = true};
		control_input(&u, &in);
	}
}

static void what_is_pasted_confirms_nothing(void **state)
{
	(void)state;
	paste("r");
	expect_command(NULL);
	uikeys(&u, "S");
	paste("y");
	expect_command(NULL);
	uikeys(&u, "<Esc>D");
	paste("web\r");
	expect_command(NULL);
	assert_string_equal(u.overlay.input.text, "web");
	uikeys(&u, "<Enter>");
	expect_command("delete web");
	uikeys(&u, ":");
	paste("stop web\r");
	expect_command(NULL);
	uikeys(&u, "<Enter>");
	expect_command("stop web");
}

/* --- the command line --- */

static void the_command_line(void **state)
{
	(void)state;
	static const char *const commands[] = {"reload", "restart", "stop", NULL};
	u.commands = commands;
	uikeys(&u, ":sto<Tab>wo<Tab><Enter>");
	expect_command("stop worker");
	uikeys(&u, ":re<Tab>");
	expect_said("reload restart");
	uikeys(&u, "<Esc>:<Up><Enter>");
	expect_command("stop worker");
	uikeys(&u, ":pmctl list  <Enter>");
	expect_command("list");
	uikeys(&u, ":  <Enter>");
	expect_command(NULL);
	uikeys(&u, ":x<Back><Back>");
	assert_int_equal(u.overlay.kind, OVERLAY_NONE);
	uikeys(&u, ":q<Enter>");
	assert_non_null(uikeys_effect(&u, EFFECT_QUIT));
}

static void an_error_stays_and_enter_shows_all(void **state)
{
	(void)state;
	PUT(u.output.text, "one\ntwo\n");
	PUT(u.output.title, "reload web");
	u.output.fresh = true;
	ui_say(&u, UI_FAIL, true, "one");
	uikeys(&u, "<Enter>");
	assert_int_equal(u.overlay.kind, OVERLAY_TEXT);
	assert_string_equal(u.overlay.title, "pmctl reload web");
	assert_string_equal(u.overlay.text, "one\ntwo\n");
	uikeys(&u, "<Esc>");
	u.output.fresh = true;
	ui_say(&u, UI_FAIL, true, "one");
	uikeys(&u, "j");
	assert_int_equal(u.status.t_ms, 0);
	uikeys(&u, "<Enter>");
	assert_int_equal(u.overlay.kind, OVERLAY_MENU);
}

static void a_plan_is_applied_after_a_question(void **state)
{
	(void)state;
	uikeys(&u, "P");
	expect_command("plan --exit-code");
	PUT(u.output.text, "  ~ web\n");
	u.output.is_plan = true;
	snprintf(u.output.plan, sizeof(u.output.plan), "a1b2");
	control_show_output(&u);
	uikeys(&u, "<Enter>");
	assert_int_equal(u.overlay.kind, OVERLAY_CONFIRM);
	uikeys(&u, "<Enter>");
	expect_command(NULL);
	control_show_output(&u);
	uikeys(&u, "<Enter>y");
	expect_command("apply --if-plan a1b2");
}

/* --- logs, events --- */

static void keys_of_the_logs(void **state)
{
	(void)state;
	uikeys(&u, "2");
	uikeys(&u, "w");
	assert_true(u.logs.wrap);
	uikeys(&u, "F");
	assert_false(u.logs.follow);
	uikeys(&u, "F!");
	assert_true(u.logs.follow && u.logs.err_only);
	uikeys(&u, "!&GET<Enter>");
	assert_string_equal(u.logs.filter, "GET");
	uikeys(&u, "&<Ctrl-U>(<Enter>");
	assert_int_equal(u.status.style, UI_FAIL);
	assert_int_equal(u.overlay.kind, OVERLAY_PROMPT);
	uikeys(&u, "<Esc>");
	assert_string_equal(u.logs.filter, "GET");
	uikeys(&u, "<Esc>");
	assert_string_equal(u.logs.filter, "");
	uikeys(&u, "/slow<Enter>");
	assert_string_equal(u.logs.search, "slow");
	assert_null(uikeys_effect(&u, EFFECT_SEARCH)); /* it is here */
	uikeys(&u, "/nowhere<Enter>");
	assert_string_equal(uikeys_effect(&u, EFFECT_SEARCH), "nowhere");
	uikeys(&u, "5");
	assert_non_null(uikeys_effect(&u, EFFECT_LOGS));
	assert_string_equal(u.logs.since, "30m");
	uikeys(&u, "<Esc>Gy");
	assert_string_equal(uikeys_effect(&u, EFFECT_COPY), "GET /api/items/43 200 3ms");
	uikeys(&u, "o");
	assert_non_null(uikeys_effect(&u, EFFECT_PAGER));
	uikeys(&u, "W<Ctrl-U>/tmp/x.log<Enter>");
	assert_string_equal(uikeys_effect(&u, EFFECT_SAVE), "/tmp/x.log");
}

static void an_event_leads_to_its_logs(void **state)
{
	(void)state;
	uikeys(&u, "ejj<Enter>");
	assert_int_equal(u.focus, PANE_LOGS);
	expect_selected("web:2");
	assert_int_equal(u.logs.from, LOGPANE_AT);
	assert_int_equal(u.logs.at_ms, UIFAKE_NOW - 11 * MIN_MS - 4600);
	assert_non_null(uikeys_effect(&u, EFFECT_LOGS));
}

static void effects_of_the_view(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		enum effect_kind kind;
	} cases[] = {{"<Ctrl-Z>", EFFECT_SUSPEND}, {"<Ctrl-L>", EFFECT_REDRAW},
		     {"T", EFFECT_THEME},	   {"p", EFFECT_PAUSE},
		     {"m", EFFECT_MOUSE},	   {"Q", EFFECT_QUIT},
		     {"<Ctrl-C>", EFFECT_QUIT},	   {"<F10>", EFFECT_QUIT},
		     {"?<Ctrl-Z>", EFFECT_SUSPEND}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uikeys(&u, cases[i].key);
		assert_non_null(uikeys_effect(&u, cases[i].kind));
	}
}

static void alerts(void **state)
{
	(void)state;
	assert_true(u.alerts.fresh > 0);
	uikeys(&u, "A");
	assert_non_null(strstr(u.overlay.text, "flaky"));
	uikeys(&u, "a");
	assert_true(u.alerts.fresh == 0 && u.overlay.kind == OVERLAY_NONE);
}

/* --- the mouse; on 80x24 the list's heading is in row 2 --- */

static void the_mouse(void **state)
{
	(void)state;
	uikeys_mouse(&u, UK_MOUSE_CLICK, 5, 30);
	expect_selected("web:1");
	uikeys_mouse(&u, UK_MOUSE_CLICK, 3, 1); /* on the mark of web */
	assert_false(model_find(&u.model, "web")->open);
	expect_selected("web");
	uikeys_mouse(&u, UK_MOUSE_CLICK, 2, 2);
	assert_int_equal(u.rows.sort, SORT_APP);
	bool was = u.rows.reverse;
	uikeys_mouse(&u, UK_MOUSE_CLICK, 2, 2);
	assert_int_not_equal(u.rows.reverse, was);
	draw(24, 80);
	uikeys_mouse(&u, UK_MOUSE_CLICK, 16, 30);
	assert_int_equal(u.focus, PANE_LOGS);
	uikeys_mouse(&u, UK_MOUSE_DOUBLE, 16, 30);
	assert_true(u.zoom);
	uikeys(&u, "q");
	draw(24, 80);
	uikeys_mouse(&u, UK_MOUSE_CTRL, 3, 30);
	assert_true(u.rows.v[0].app->marked);
	uikeys_mouse(&u, UK_MOUSE_RIGHT, 3, 30);
	assert_int_equal(u.overlay.kind, OVERLAY_MENU);
	draw(24, 80);
	uikeys_mouse(&u, UK_MOUSE_CLICK, u.overlay.first_y, 30);
	assert_non_null(uikeys_effect(&u, EFFECT_COMMAND));
	uikeys_mouse(&u, UK_MOUSE_CLICK, 23, 79);
	uikeys_mouse(&u, UK_MOUSE_CLICK, 500, 500);
}

static void too_small_for_questions(void **state)
{
	(void)state;
	uikeys(&u, "S");
	draw(5, 30);
	uikeys(&u, "y");
	expect_command(NULL);
	uikeys(&u, "r");
	expect_command(NULL);
	uikeys(&u, "q");
	assert_non_null(uikeys_effect(&u, EFFECT_QUIT));
}

/* Whatever is typed, in whatever order and size: nothing breaks, and nothing is deleted. */
static void any_keys(void **state)
{
	(void)state;
	static const uint32_t special[] = {
		UK_RETURN,	     UK_ESC,	   UK_TAB,    UK_BACK,	      UK_ARROW_DOWN,
		UK_ARROW_LEFT,	     UK_PAGE_DOWN, UK_FN + 6, UK_MOUSE_CLICK, UK_MOUSE_RIGHT,
		UK_MOUSE_WHEEL_DOWN, 0x65e5};
	unsigned seed = 1;
	for (int i = 0; i < 6000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned r = seed >> 16;
		uint32_t key = r % 3 ? ' ' + r / 3 % 95 : special[r / 3 % 12];
		uikeys_mouse(&u, key, (int)(r % 30), (int)(r % 90));
		if (i % 50 == 0) {
			draw((int)(r % 40), (int)(r % 130));
		}
		const char *command = uikeys_effect(&u, EFFECT_COMMAND);
		assert_true(!command || strncmp(command, "delete", 6) != 0);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(moving_in_the_list),
		T(opening_and_closing),
		T(the_form_follows_the_width),
		T(panes_and_zoom),
		T(a_filter_works_while_it_is_typed),
		T(escape_clears_one_thing_at_a_time_and_never_quits),
		T(sorting_and_columns),
		T(what_is_safe_asks_nothing),
		T(questions_default_to_no),
		T(questions_state_the_effect),
		T(deleting_wants_the_name),
		T(a_namespace_and_all_want_the_name),
		T(actions_go_to_all_that_is_marked),
		T(scaling),
		T(signals_begin_with_sigterm_and_want_enter),
		T(the_menu_of_actions),
		T(without_a_daemon_actions_are_off),
		T(what_is_pasted_confirms_nothing),
		T(the_command_line),
		T(an_error_stays_and_enter_shows_all),
		T(a_plan_is_applied_after_a_question),
		T(keys_of_the_logs),
		T(an_event_leads_to_its_logs),
		T(effects_of_the_view),
		T(alerts),
		T(the_mouse),
		T(too_small_for_questions),
		T(any_keys),
	};
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
