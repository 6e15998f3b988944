/* SPDX-License-Identifier: MIT */
/*
 * Whole screens against files in screens/: what the manual draws, at every size (uigolden.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ui/columns.h"
#include "ui/view.h"
#include "uifake.h"
#include "uigolden.h"

static void draw(const char *name, struct ui *u, int rows, int cols, bool styles)
{
	struct grid g = {0};
	struct buf out = {0};
	grid_resize(&g, rows, cols);
	view_draw(u, &g);
	grid_dump(&g, styles, &out);
	uigolden_check(name, &out);
	buf_finish(&out);
	grid_finish(&g);
}

/* --- every size, in both character sets --- */

static void sizes(bool utf8, const char *kind)
{
	static const int size[][2] = {{8, 40}, {12, 44}, {24, 80}, {36, 120}, {50, 200}};
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct ui u;
		char name[64];
		uifake_make(&u, utf8);
		if (size[i][1] < 60) {
			u.model.app[0]->open = false; /* as drawn */
			ui_refresh(&u);
		}
		for (int k = 0; k < u.model.napps && size[i][1] >= 120; k++) {
			u.model.app[k]->open = true;
		}
		ui_resize(&u, size[i][0], size[i][1]);
		ui_refresh(&u);
		ui_say(&u, UI_OK, false, "reload worker done: 2 of 2 in 3.1s, ready by notify");
		u.status.t_ms = UIFAKE_NOW - 42 * MIN_MS;
		u.running = size[i][1] == 120 ? 2 : 1;
		if (size[i][0] < 13) {
			u.status.t_ms = 0; /* no line for it */
		}
		snprintf(name, sizeof(name), "%dx%d-%s", size[i][1], size[i][0], kind);
		draw(name, &u, size[i][0], size[i][1], false);
		ui_finish(&u);
	}
}

static void every_size_in_utf8(void **s)
{
	(void)s;
	sizes(true, "utf8");
}

static void every_size_in_ascii(void **s)
{
	(void)s;
	sizes(false, "ascii");
}

static void too_small(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	draw("20x5", &u, 5, 20, false);
	draw("36x6", &u, 6, 36, false);
	ui_finish(&u);
}

/* --- what else it looks like --- */

/* The styles, from which ui/palette.c makes colours or, without them, bold and underline. */
static void styles(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	u.model.app[0]->marked = true;
	draw("80x24-styles", &u, 24, 80, true);
	ui_finish(&u);
}

static void away(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	u.model.link = UI_LINK_AWAY;
	u.model.now_ms = UIFAKE_NOW + 12000;
	u.model.retry_ms = u.model.now_ms + 1500;
	ui_refresh(&u);
	ui_say(&u, UI_WARN, true, "actions are off while disconnected");
	draw("80x24-away", &u, 24, 80, true);
	draw("44x12-away", &u, 12, 44, false);
	ui_finish(&u);
}

static void nothing_known(void **s)
{
	struct ui u;
	(void)s;
	ui_init(&u, true);
	u.model.now_ms = UIFAKE_NOW;
	ui_refresh(&u);
	draw("80x24-nothing", &u, 24, 80, false);
	u.model.link = UI_LINK_UP;
	u.model.sampled_ms = UIFAKE_NOW;
	ui_refresh(&u);
	draw("80x24-no-apps", &u, 24, 80, false);
	ui_finish(&u);
}

static void acknowledged(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	alerts_acknowledge(&u.alerts, NULL);
	draw("80x24-acknowledged", &u, 24, 80, true);
	ui_finish(&u);
}

/* A disk that is nearly full, and a list that is not what runs. */
static void notices(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	struct ui_notice *n = model_notice(&u.model, NOTICE_DAEMON, "disk-logs");
	n->fail = true;
	PUT(n->brief, "1.2M left for /var/log/pmctl");
	PUT(n->text, n->brief);
	PUT(n->fix, "make room");
	n = model_notice(&u.model, NOTICE_DRIFT, "/srv/shop/pmctl.ini");
	PUT(n->brief, "shop/pmctl.ini is not what runs");
	PUT(n->text, "shop/pmctl.ini: web changed; api new");
	PUT(n->fix, "pmctl plan -c /srv/shop/pmctl.ini");
	PUT(u.model.app[0]->drift, "file changed: memory_max");
	ui_refresh(&u);
	draw("80x24-notices", &u, 24, 80, true);
	rows_select(&u.rows, 0);
	ui_refresh(&u);
	draw("120x36-notices", &u, 36, 120, false);
	ui_finish(&u);
}

static void filtered(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	PUT(u.rows.filter, "!web");
	u.rows.unhealthy = true;
	ui_refresh(&u);
	draw("80x24-filtered", &u, 24, 80, false);
	PUT(u.rows.filter, "we[b");
	ui_refresh(&u);
	draw("80x24-bad-filter", &u, 24, 80, true);
	ui_finish(&u);
}

static void flat(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	u.rows.form = ROWS_FLAT;
	u.form_chosen = true;
	u.rows.sort = SORT_MEM;
	u.rows.reverse = true;
	ui_refresh(&u);
	draw("80x24-flat", &u, 24, 80, false);
	ui_finish(&u);
}

static void chosen_columns(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	u.columns = 1u << COL_PID | 1u << COL_USER | 1u << COL_LIMIT | 1u << COL_EXIT |
		    1u << COL_READY | 1u << COL_IO;
	draw("80x24-columns", &u, 24, 80, false);
	ui_finish(&u);
}

static void panes(void **s)
{
	static const struct {
		enum ui_pane pane;
		bool zoom, side;
		const char *name;
	} all[] = {{PANE_DETAIL, false, true, "detail"},
		   {PANE_EVENTS, false, true, "events"},
		   {PANE_LIST, true, true, "zoom-list"},
		   {PANE_DETAIL, true, true, "zoom-detail"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ui u;
		char name[64];
		(void)s;
		uifake_make(&u, true);
		u.focus = all[i].pane;
		u.zoom = all[i].zoom;
		u.feed.sel = 2;
		snprintf(name, sizeof(name), "80x24-%s", all[i].name);
		draw(name, &u, 24, 80, false);
		snprintf(name, sizeof(name), "120x36-%s", all[i].name);
		draw(name, &u, 36, 120, true);
		ui_finish(&u);
	}
}

static void console(void **s)
{
	struct ui u;
	(void)s;
	uifake_make(&u, true);
	u.braille = false;
	draw("120x36-console", &u, 36, 120, false);
	ui_finish(&u);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_ALL, "C.UTF-8");
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_size_in_utf8),
					   cmocka_unit_test(every_size_in_ascii),
					   cmocka_unit_test(too_small),
					   cmocka_unit_test(styles),
					   cmocka_unit_test(away),
					   cmocka_unit_test(nothing_known),
					   cmocka_unit_test(acknowledged),
					   cmocka_unit_test(notices),
					   cmocka_unit_test(filtered),
					   cmocka_unit_test(flat),
					   cmocka_unit_test(chosen_columns),
					   cmocka_unit_test(panes),
					   cmocka_unit_test(console)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
