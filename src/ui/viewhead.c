/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/figtext.h"
#include "ui/spark.h"
#include "ui/view_priv.h"

#define PARTS	  8
#define CPU_CELLS 8
#define MEM_CELLS 6
#define CLOCK	  8

/* A part of the header; what does not fit goes by rank, the highest first. */
struct part {
	char text[160];
	int rank; /* 0 = always shown */
	int style;
};

struct parts {
	struct part v[PARTS];
	int n;
};

static char *add(struct parts *p, int rank, int style)
{
	struct part *to = &p->v[p->n++];
	*to = (struct part){.rank = rank, .style = style};
	return to->text;
}

/* --- what there is to tell --- */

static void spark(const struct view *v, const struct series *s, double max, int n, char *out)
{
	double cells[CPU_CELLS];
	series_cells(s, v->ui->model.sampled_ms, s->step_ms < MODEL_MEM_STEP_MS ? 8 : 10, cells, n);
	spark_text(cells, (size_t)n, max, v->ui->utf8, out);
}

static void add_host(const struct view *v, struct parts *p)
{
	const struct ui_host *h = &v->ui->model.host;
	const int cap = sizeof(p->v[0].text);
	char a[FIGTEXT], bars[CPU_CELLS * 3 + 1];
	if (!isnan(h->cpu_pct)) {
		figtext_cpu(h->cpu_pct, a);
		spark(v, &h->cpu, 100, CPU_CELLS, bars);
		snprintf(add(p, 3, UI_PLAIN), cap, "cpu %3s %s", a, bars);
	}
	if (h->mem_used >= 0 && h->mem_total > 0) {
		figtext_part(h->mem_used, h->mem_total, a);
		spark(v, &h->mem, (double)h->mem_total, MEM_CELLS, bars);
		snprintf(add(p, 2, UI_PLAIN), cap, "mem %s%s%s", a,
			 v->layout.size >= LAYOUT_WIDE ? " " : "",
			 v->layout.size >= LAYOUT_WIDE ? bars : "");
	}
	if (!isnan(h->load1)) {
		long long c = (long long)(h->load1 * 100 + 0.5);
		snprintf(add(p, 4, UI_PLAIN), cap, "load %lld.%02lld", c / 100, c % 100);
	}
}

static void add_counts(const struct view *v, struct parts *p)
{
	const struct model *m = &v->ui->model;
	const int cap = sizeof(p->v[0].text);
	char *to = add(p, 0, UI_PLAIN);
	if (v->layout.size >= LAYOUT_WIDE) {
		snprintf(to, cap, "%d app%s %d/%d online", m->napps, m->napps == 1 ? "" : "s",
			 m->online, m->wanted);
	} else {
		snprintf(to, cap, "%d/%d online", m->online, m->wanted);
	}
}

static void add_daemon(const struct view *v, struct parts *p)
{
	const struct ui_daemon *d = &v->ui->model.daemon;
	const int cap = sizeof(p->v[0].text);
	char age[FIGTEXT], mem[FIGTEXT];
	if (v->layout.size < LAYOUT_WIDE || d->up_ms < 0) {
		return;
	}
	figtext_age(d->up_ms, age);
	if (v->layout.size < LAYOUT_HUGE || isnan(d->cpu_pct)) {
		snprintf(add(p, 5, UI_PLAIN), cap, "pmctld up %s", age);
		return;
	}
	figtext_mem(d->mem_bytes, 0, mem);
	long long tenths = (long long)(d->cpu_pct * 10 + 0.5);
	snprintf(add(p, 5, UI_PLAIN), cap, "pmctld %s up %s cpu %lld.%lld%% mem %s", d->version,
		 age, tenths / 10, tenths % 10, mem);
}

static void add_alerts(const struct view *v, struct parts *p)
{
	const struct alerts *a = &v->ui->alerts;
	if (v->layout.size <= LAYOUT_COMPACT && a->n > 0) {
		snprintf(add(p, 1, a->fresh ? alerts_style(&a->v[0]) : UI_DIM),
			 sizeof(p->v[0].text), " ! %d alert%s", a->n, a->n == 1 ? "" : "s");
	}
}

/* --- the line --- */

static int width_of(const struct parts *p, int gap)
{
	int sum = 1;
	for (int i = 0; i < p->n; i++) {
		sum += grid_width(p->v[i].text) + (i ? gap : 0);
	}
	return sum;
}

/* Leave out the least important one. False: all that is left has to stay. */
static bool leave_out(struct parts *p)
{
	int worst = 0;
	for (int i = 1; i < p->n; i++) {
		worst = p->v[i].rank > p->v[worst].rank ? i : worst;
	}
	if (p->n == 0 || p->v[worst].rank == 0) {
		return false;
	}
	memmove(p->v + worst, p->v + worst + 1, (size_t)(--p->n - worst) * sizeof(p->v[0]));
	return true;
}

static void put_parts(struct view *v, const struct parts *p, const char *between, int room)
{
	bool utf8 = v->ui->utf8;
	int x = 1;
	for (int i = 0; i < p->n && x < room; i++) {
		const char *gap = i ? between : "";
		x += grid_text(v->grid, 0, x, room - x, UI_DIM, gap);
		x += grid_cut(v->grid, 0, x, room - x, p->v[i].style, p->v[i].text, utf8);
	}
}

static const char *separator(const struct view *v)
{
	enum layout_size size = v->layout.size;
	return size <= LAYOUT_COMPACT ? " "
	       : size < LAYOUT_WIDE   ? "  "
	       : v->ui->utf8	      ? " │ "
				      : " | ";
}

static void add_name(const struct view *v, struct parts *p)
{
	const char *host = v->ui->model.host.name;
	char *to = add(p, 0, UI_BOLD);
	const int cap = sizeof(p->v[0].text);
	if (v->layout.size <= LAYOUT_COMPACT && host[0]) {
		snprintf(to, cap, "%s", host);
	} else {
		snprintf(to, cap, "pmctl%s%s", host[0] ? " " : "", host);
	}
}

static void add_away(const struct view *v, struct parts *p)
{
	const struct model *m = &v->ui->model;
	const int cap = sizeof(p->v[0].text);
	int64_t age = m->now_ms - m->sampled_ms;
	char text[FIGTEXT];
	if (m->link == UI_LINK_NONE) {
		snprintf(add(p, 0, UI_WARN), cap, "not connected");
		return;
	}
	if (age < 60000) {
		snprintf(text, sizeof(text), "%lld s", (long long)(age < 0 ? 0 : age / 1000));
	} else {
		figtext_age(age, text);
	}
	snprintf(add(p, 0, UI_FAIL), cap,
		 v->layout.size <= LAYOUT_COMPACT ? "LAST KNOWN, %s old"
						  : "LAST KNOWN STATE, %s old",
		 text);
}

static void draw_header(struct view *v)
{
	const struct model *m = &v->ui->model;
	struct parts p = {0};
	char clock[16] = "--:--:--";
	bool up = m->link == UI_LINK_UP;
	add_name(v, &p);
	if (up) {
		add_host(v, &p);
		add_counts(v, &p);
		add_alerts(v, &p);
		add_daemon(v, &p);
	} else {
		add_away(v, &p);
	}
	if (!up || m->sampled_ms) {
		view_clock(up ? m->sampled_ms : m->now_ms, clock, sizeof(clock));
	}
	const char *between = up ? separator(v) : "  ";
	int room = v->grid->cols - CLOCK - 1;
	while (width_of(&p, grid_width(between)) > room && leave_out(&p)) {
	}
	put_parts(v, &p, between, room);
	grid_right(v->grid, 0, v->grid->cols - CLOCK, CLOCK, UI_PLAIN, clock);
}

/* --- the alert line --- */

static void draw_away(struct view *v)
{
	const struct model *m = &v->ui->model;
	char clock[16], text[200];
	int64_t left = m->retry_ms - m->now_ms;
	view_clock(m->sampled_ms, clock, sizeof(clock));
	left = left < 0 ? 0 : left > 60000 ? 60000 : left;
	snprintf(text, sizeof(text),
		 "! no answer from pmctld since %s; apps run on. Retry in %lld s (Space: now)",
		 clock, (long long)((left + 999) / 1000));
	grid_cut(v->grid, v->layout.alert.y, 1, v->grid->cols - 1, UI_FAIL, text, v->ui->utf8);
}

/* "14:02:11 flaky gave up after 10 restarts (exit 1)", or only "flaky gave up: exit 1". */
static void alert_text(const struct alert *a, bool brief, char *out, size_t cap)
{
	char clock[16];
	view_clock(a->since_ms, clock, sizeof(clock));
	if (brief || (a->since_ms == 0 && a->kind == ALERT_LEAK)) {
		snprintf(out, cap, "%s", a->brief);
	} else if (a->since_ms == 0) {
		snprintf(out, cap, "%s", a->text);
	} else {
		snprintf(out, cap, "%s %s", clock, a->text);
	}
}

static int alerts_width(const struct alerts *a, bool brief)
{
	char text[sizeof(a->v[0].text) + 16];
	int sum = 0;
	for (int i = 0; i < a->n && sum < GRID_MAX; i++) {
		alert_text(&a->v[i], brief, text, sizeof(text));
		sum += 3 + grid_width(text);
	}
	return sum;
}

static void draw_alerts(struct view *v)
{
	const struct alerts *a = &v->ui->alerts;
	struct grid *g = v->grid;
	int y = v->layout.alert.y, cols = g->cols;
	char text[sizeof(a->v[0].text) + 16];
	int x = 1 + grid_textf(g, y, 1, -1, a->fresh ? alerts_style(&a->v[0]) : UI_DIM,
			       "! %d alert%s", a->n, a->n == 1 ? "" : "s");
	bool brief = x + alerts_width(a, false) + 2 > cols;
	const char *hint = x + alerts_width(a, brief) + 7 > cols ? "A" : "A: all";
	int end = cols - grid_width(hint) - 1;
	for (int i = 0; i < a->n && x + 6 < end; i++) {
		bool first = i == 0 && v->layout.size < LAYOUT_WIDE;
		alert_text(&a->v[i], brief, text, sizeof(text));
		x += first ? 2 : 3;
		x += grid_cut(g, y, x, end - x, a->v[i].acked ? UI_DIM : alerts_style(&a->v[i]),
			      text, v->ui->utf8);
	}
	grid_right(g, y, cols - 6, 6, UI_DIM, hint);
}

void viewhead_draw(struct view *v)
{
	draw_header(v);
	if (v->layout.alert.h && v->ui->model.link == UI_LINK_AWAY) {
		draw_away(v);
	} else if (v->layout.alert.h) {
		draw_alerts(v);
	}
}
