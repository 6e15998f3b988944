/* SPDX-License-Identifier: MIT */
/*
 * Any model on a screen of any size: nothing crashes, no cell can control a terminal, the state is
 * whole and what is selected is on the screen.
 *
 * The seed is printed; PMCTL_SEED=n runs the same again, PMCTL_ROUNDS=n more of them.
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

#include "common/utf8.h"
#include "ui/columns.h"
#include "ui/layout.h"
#include "ui/view.h"
#include "uifake.h"

#define INSTANCES 500

static uint64_t state;

static unsigned any(unsigned n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return n ? (unsigned)(state >> 33) % n : 0;
}

/* Text as others may write it: escapes, halves of characters, wide and combining ones. */
static void any_text(char *out, size_t cap)
{
	static const char *const parts[] = {"\033[31m",
					    "\033]0;x\a",
					    "\xe6\xbc\xa2",
					    "\xcc\x88",
					    "\xff\xfe",
					    "\x9b",
					    "\xf0\x9f\x98\x80",
					    "a",
					    "bc",
					    "-",
					    " ",
					    "\t",
					    "\n",
					    "\r",
					    "\xe2\x80\xae",
					    "\x7f",
					    "\xe6\xbc",
					    "%s%n"};
	size_t len = 0, want = any((unsigned)cap);
	out[0] = '\0';
	while (len < want) {
		const char *p = parts[any(sizeof(parts) / sizeof(parts[0]))];
		size_t n = strlen(p);
		if (len + n + 1 > cap) {
			break;
		}
		memcpy(out + len, p, n + 1);
		len += n;
	}
}

static const char *any_state(void)
{
	static const char *const words[] = {"online",	"starting",  "stopping", "backoff",
					    "degraded", "failed",    "stopped",	 "done",
					    "",		"elsewhere", "unknown"};
	return words[any(sizeof(words) / sizeof(words[0]))];
}

static void any_figures(struct ui_figures *f)
{
	static const double cpus[] = {NAN, 0, 0.4, 12.6, 99.9, 3200, 1e12, -3};
	f->cpu_pct = cpus[any(8)];
	f->mem_bytes = any(4) ? (int64_t)any(2000000) << any(24) : -1;
	f->limit_bytes = any(2) ? (int64_t)any(5000) << any(30) : 0;
	f->io_bps = cpus[any(8)] * 1000;
	f->fds = (int)any(3) - 1 + (any(9) ? 0 : 1000000);
	f->threads = (int)any(100) - 1;
	f->restarts = (int)any(2) * (int)any(2000000);
	f->up_ms = any(3) ? (int64_t)any(2000000000) << any(8) : -1;
	for (int i = 0; i < 40; i++) {
		int64_t ago = (int64_t)any(300) * 1000 * (any(2) ? 15 : 1);
		series_add(any(2) ? &f->cpu : &f->mem, UIFAKE_NOW - ago, cpus[any(8)]);
	}
}

static void any_app(struct ui *u, int instances)
{
	char name[MODEL_NAME];
	if (any(2)) {
		snprintf(name, sizeof(name), "%040u", any(1000000)); /* as long as names may be */
	} else {
		any_text(name, sizeof(name));
	}
	struct ui_app *a = model_app(&u->model, name);
	any_text(a->note, sizeof(a->note));
	any_text(a->user, sizeof(a->user));
	snprintf(a->ns, sizeof(a->ns), "%s", any(3) ? "" : any(2) ? "shop" : "a long namespace");
	snprintf(a->state, sizeof(a->state), "%s", any_state());
	a->instances = instances;
	a->online = (int)any((unsigned)instances + 1);
	a->open = any(2);
	a->marked = !any(5);
	a->leak = !any(4);
	any_figures(&a->fig);
	for (int i = 0; i < instances; i++) {
		struct ui_proc *p = model_proc(a, i);
		p->pid = (int)any(4194304);
		p->id = any(100000);
		p->marked = !any(5);
		p->leak = !any(5);
		p->ready = any(2);
		p->restarted_ms = any(2) ? UIFAKE_NOW - any(100000) : 0;
		p->exit_ms = any(2) ? UIFAKE_NOW - (int64_t)any(1000000) * 1000 : 0;
		snprintf(p->state, sizeof(p->state), "%s", any_state());
		any_text(p->note, sizeof(p->note));
		any_text(p->exit, sizeof(p->exit));
		any_text(p->leak_text, sizeof(p->leak_text));
		any_text(p->leak_left, sizeof(p->leak_left));
		any_figures(&p->fig);
	}
}

static void any_model(struct ui *u)
{
	int left = any(4) ? (int)any(40) : INSTANCES;
	model_begin(&u->model);
	while (left > 0) {
		int n = 1 + (int)any(any(3) ? 4 : (unsigned)left);
		any_app(u, n < left ? n : left);
		left -= n;
	}
	model_end(&u->model);
	any_text(u->model.host.name, sizeof(u->model.host.name));
	u->model.host.cpu_pct = any(200);
	u->model.host.load1 = any(2) ? NAN : 1e9;
	u->model.host.mem_total = (int64_t)any(1000000) << any(30);
	u->model.host.mem_used = (int64_t)any(1000000) << any(30);
	u->model.link = (enum ui_link)any(3);
	u->model.now_ms = UIFAKE_NOW + any(100000);
	u->model.sampled_ms = any(9) ? UIFAKE_NOW : 0;
	u->model.retry_ms = UIFAKE_NOW + any(20000);
	for (int i = (int)any(300); i > 0; i--) {
		struct feed_event e = {.t_ms = UIFAKE_NOW - any(1000000), .slot = (int)any(3) - 1};
		any_text(e.app, sizeof(e.app));
		any_text(e.text, sizeof(e.text));
		any_text(e.by, sizeof(e.by));
		feed_add(&u->feed, &e);
	}
}

static void any_choice(struct ui *u)
{
	static const char *const filters[] = {
		"",    "",    "",  "0",	  "online", "!online", "cpu>5", "[", "mem>1M rst>3",
		"a|b", "(((", "*", "x{1,"};
	u->form_chosen = any(4);
	u->rows.form = (enum rows_form)any(3);
	u->rows.sort = (enum rows_sort)any(SORT_COUNT);
	u->rows.reverse = any(2);
	u->rows.unhealthy = !any(4);
	snprintf(u->rows.filter, sizeof(u->rows.filter), "%s",
		 filters[any(sizeof(filters) / sizeof(filters[0]))]);
	u->focus = (enum ui_pane)(PANE_LIST + any(PANE_COUNT - PANE_LIST));
	u->zoom = !any(4);
	u->side = any(4);
	u->braille = any(2);
	u->columns = any(3) ? 0 : any(1u << COL_COUNT);
	u->feed.sel = any(FEED_EVENTS);
	u->detail.top = (int)any(30);
	rows_select(&u->rows, (int)any(600) - 5);
	if (any(2)) {
		char text[200];
		any_text(text, sizeof(text));
		ui_say(u, (int)any(UI_STYLES), any(2), "%s", text);
	}
	ui_refresh(u);
	for (int i = (int)any(DETAIL_ROWS); i > 0; i--) {
		char text[MODEL_NOTE];
		any_text(text, sizeof(text));
		detail_add(&u->detail, "key", text);
	}
}

/* --- what must hold --- */

static void no_cell_is_a_control(const struct grid *g)
{
	for (int i = 0; i < g->rows * g->cols; i++) {
		const struct grid_cell *c = &g->cell[i];
		assert_true(c->ch == 0 || utf8_is_safe(c->ch));
		assert_true(c->ch == 0 || (c->ch >= 0x20 && c->ch != 0x7f));
		assert_true(c->comb == 0 || (c->comb >= 0x300 && utf8_is_safe(c->comb)));
		assert_true(c->ch != 0 || (i % g->cols > 0 && g->cell[i - 1].ch != 0));
	}
}

static bool row_has(const struct grid *g, int y, const char *word)
{
	int n = (int)strlen(word);
	for (int x = 0; x + n <= g->cols; x++) {
		int i = 0;
		while (i < n && g->cell[y * g->cols + x + i].ch == (unsigned char)word[i]) {
			i++;
		}
		if (i == n) {
			return true;
		}
	}
	return false;
}

static void state_is_whole(struct ui *u, const struct layout *l, const struct grid *g)
{
	const struct rows *r = &u->rows;
	for (int i = 0; i < l->list.h - 1 && r->top + i < r->n; i++) {
		const struct row *row = &r->v[r->top + i];
		if (row->app) {
			assert_true(row_has(g, l->list.y + 1 + i,
					    row->proc ? row->proc->state : row->app->state));
		}
	}
}

static void selection_is_shown(struct ui *u, const struct layout *l, const struct grid *g)
{
	const struct rows *r = &u->rows;
	if (l->list.h < 2 || r->n == 0) {
		return;
	}
	assert_in_range(r->sel, 0, r->n - 1);
	assert_in_range(r->sel, r->top, r->top + l->list.h - 2);
	int y = l->list.y + 1 + r->sel - r->top;
	assert_int_equal(g->cell[y * g->cols].ch, '>');
	assert_true(g->cell[y * g->cols].style & UI_REVERSE);
}

static void check(struct ui *u, int rows, int cols)
{
	struct grid g = {0};
	struct layout l;
	grid_resize(&g, rows, cols);
	view_draw(u, &g);
	layout_make(&l, u, rows, cols);
	no_cell_is_a_control(&g);
	if (l.size > LAYOUT_TINY) {
		selection_is_shown(u, &l, &g);
	}
	if (l.size > LAYOUT_TINY && l.list.h) {
		state_is_whole(u, &l, &g);
	}
	grid_finish(&g);
}

static void one_model(uint64_t seed)
{
	struct ui u;
	print_message("PMCTL_SEED=%llu PMCTL_ROUNDS=1\n", (unsigned long long)seed);
	state = seed;
	any(1);
	ui_init(&u, any(2));
	any_model(&u);
	ui_refresh(&u);
	for (int k = 0; k < 4; k++) {
		any_choice(&u);
		check(&u, 1 + (int)any(any(2) ? 80 : 30), 1 + (int)any(any(2) ? 300 : 130));
	}
	check(&u, 1, 1);
	ui_finish(&u);
}

static void any_model_on_any_screen(void **s)
{
	const char *seed = getenv("PMCTL_SEED"), *rounds = getenv("PMCTL_ROUNDS");
	uint64_t from = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) << 16;
	int n = rounds ? atoi(rounds) : 60;
	(void)s;
	for (int i = 0; i < n; i++) {
		one_model(from + (uint64_t)i);
	}
}

/* Those that found something once. */
static void models_that_failed(void **s)
{
	static const uint64_t seeds[] = {1000074 /* the flat form of nothing */};
	(void)s;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		one_model(seeds[i]);
	}
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_ALL, "C.UTF-8");
	const struct CMUnitTest tests[] = {cmocka_unit_test(models_that_failed),
					   cmocka_unit_test(any_model_on_any_screen)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
