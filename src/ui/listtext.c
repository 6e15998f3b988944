/* SPDX-License-Identifier: MIT */
#include "ui/listtext.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "ui/figtext.h"
#include "ui/look.h"

#define BAR	  4		       /* cells */
#define NARROW	  15		       /* a note has room for a word or two */
#define RECENT_MS (24LL * 3600 * 1000) /* a last exit is worth a note for this long */

/* --- a namespace: the sums of its apps --- */

struct sums {
	int online, instances, restarts;
	double cpu;
	int64_t mem;
};

static struct sums sum_up(const struct model *m, const char *ns)
{
	struct sums s = {.cpu = NAN, .mem = -1};
	for (int i = 0; i < m->napps; i++) {
		const struct ui_app *a = m->app[i];
		if (strcmp(a->ns, ns) != 0) {
			continue;
		}
		s.online += a->online;
		s.instances += a->instances;
		s.restarts += a->fig.restarts;
		if (!isnan(a->fig.cpu_pct)) {
			s.cpu = (isnan(s.cpu) ? 0 : s.cpu) + a->fig.cpu_pct;
		}
		if (a->fig.mem_bytes >= 0) {
			s.mem = (s.mem < 0 ? 0 : s.mem) + a->fig.mem_bytes;
		}
	}
	return s;
}

static void namespace_cell(const struct model *m, const char *ns, enum column_id id, bool brief,
			   char *out, size_t cap)
{
	struct sums s = sum_up(m, ns);
	char text[FIGTEXT] = "";
	if (id == COL_STATE) {
		snprintf(out, cap, "%d/%d online", s.online, s.instances);
		return;
	}
	if (id == COL_CPU) {
		figtext_cpu(s.cpu, text);
	} else if (id == COL_MEM) {
		figtext_mem(s.mem, brief, text);
	} else if (id == COL_RST) {
		figtext_int(s.restarts, text);
	}
	snprintf(out, cap, "%s", text);
}

/* --- apps and instances --- */

static void state_cell(const struct row *row, char *out, size_t cap)
{
	const struct ui_app *a = row->app;
	if (row->proc) {
		snprintf(out, cap, "%s", row->proc->state);
	} else if (a->instances > 1) {
		snprintf(out, cap, "%d/%d %s", a->online, a->instances, a->state);
	} else {
		snprintf(out, cap, "%s", a->state);
	}
}

/* Columns that an app of several has nothing to say in. */
static void proc_cell(const struct ui_proc *p, enum column_id id, char *out, size_t cap)
{
	if (id == COL_EXIT) {
		snprintf(out, cap, "%s", p->exit[0] ? p->exit : "-");
	} else if (id == COL_READY) {
		snprintf(out, cap, "%s", !p->pid ? "-" : p->ready ? "yes" : "no");
	} else {
		figtext_int(id == COL_ID ? p->id : p->pid > 0 ? p->pid : -1, out);
	}
}

static void limit_cell(int64_t bytes, char *out)
{
	snprintf(out, FIGTEXT, "-");
	if (bytes > 0) {
		units_format_size(bytes, out, FIGTEXT);
	}
}

void listtext_cell(const struct model *m, const struct row *row, enum column_id id, bool brief,
		   char *out, size_t cap)
{
	char text[MODEL_NAME + FIGTEXT] = "";
	if (!row->app) {
		namespace_cell(m, row->ns, id, brief, out, cap);
		return;
	}
	const struct ui_figures *f = row->proc ? &row->proc->fig : &row->app->fig;
	switch (id) {
	case COL_STATE:
		state_cell(row, text, sizeof(text));
		break;
	case COL_CPU:
		figtext_cpu(f->cpu_pct, text);
		break;
	case COL_MEM:
		figtext_mem(f->mem_bytes, brief, text);
		break;
	case COL_UP:
		figtext_age(f->up_ms, text);
		break;
	case COL_RST:
		figtext_int(f->restarts, text);
		break;
	case COL_FD:
		figtext_int(f->fds, text);
		break;
	case COL_THR:
		figtext_int(f->threads, text);
		break;
	case COL_IO:
		figtext_rate(f->io_bps, text);
		break;
	case COL_USER:
		snprintf(text, sizeof(text), "%s", row->app->user);
		break;
	case COL_LIMIT:
		limit_cell(f->limit_bytes, text);
		break;
	default:
		if (rows_proc(row)) {
			proc_cell(rows_proc(row), id, text, sizeof(text));
		}
	}
	snprintf(out, cap, "%s", text);
}

/* --- notes --- */

/* "try in 12s: exit 75" -> "try 12s", "next 02:00" -> "02:00", and of a failure how it ended. */
static void shorten(const struct ui_proc *p, const char *state, const char *note, char *out,
		    size_t cap)
{
	if (strncmp(note, "try in ", 7) == 0) {
		snprintf(out, cap, "try %.*s", (int)strcspn(note + 7, ":"), note + 7);
	} else if (strncmp(note, "next ", 5) == 0) {
		const char *blank = strrchr(note, ' '); /* before the time of day */
		snprintf(out, cap, "%s", strchr(note, ';') ? note + 5 : blank + 1);
	} else if (p && p->exit[0] && strcmp(state, "failed") == 0) {
		snprintf(out, cap, "%s", p->exit);
	} else {
		snprintf(out, cap, "%s", note);
	}
}

static void leak_note(const struct row *row, int width, char *out, size_t cap)
{
	const struct ui_proc *p = row->proc;
	for (int i = 0; !p && i < row->app->nprocs; i++) {
		p = row->app->proc[i]->leak ? row->app->proc[i] : NULL;
	}
	if (!p || width < NARROW) {
		snprintf(out, cap, "leak?");
	} else if (row->proc && p->leak_left[0]) {
		snprintf(out, cap, "leak? %s", p->leak_left);
	} else {
		snprintf(out, cap, "leak? %s", p->leak_text);
	}
}

/* "SIGSEGV 11m ago": it runs again, but one may want to know. */
static void exit_note(const struct model *m, const struct ui_proc *p, char *out, size_t cap)
{
	int64_t ago = m->sampled_ms - p->exit_ms;
	char age[FIGTEXT];
	if (look_runs(p->state) && p->exit[0] && p->exit_ms > 0 && ago < RECENT_MS) {
		figtext_age(ago > 0 ? ago : 0, age);
		snprintf(out, cap, "%s %s ago", p->exit, age);
	}
}

/* "reload 2/4 ██░░", or less of it. False: nothing is done to it. */
static bool action_note(const struct ui_app *a, int width, bool utf8, char *out, size_t cap)
{
	char bar[BAR * 3 + 1] = "";
	int done = 0, all = 0;
	for (int i = 0; i < a->nprocs; i++) {
		const struct ui_proc *p = a->proc[i];
		all += p->acting;
		done += p->acting && p->pid > 0 && p->pid != p->acting_pid &&
			strcmp(p->state, "online") == 0;
	}
	for (int i = 0; all > 0 && i < BAR; i++) {
		bool full = i < done * BAR / all;
		strcat(bar, full ? (utf8 ? "█" : "#") : utf8 ? "░" : ".");
	}
	if (all == 0) {
		return false;
	}
	int words = snprintf(out, cap, "%s %d/%d", a->action, done, all);
	if (words > width) {
		snprintf(out, cap, "%d/%d", done, all);
	} else if (words + 1 + BAR <= width) {
		snprintf(out + words, cap - (size_t)words, " %s", bar);
	}
	return true;
}

void listtext_note(const struct model *m, const struct rows *r, const struct row *row, int width,
		   bool utf8, char *out, size_t cap)
{
	out[0] = '\0';
	if (!row->app) {
		return;
	}
	const struct ui_proc *p = rows_proc(row);
	const struct ui_app *a = row->app;
	/* where the instances are shown, they tell it */
	bool below = !p && r->form != ROWS_FLAT && rows_is_open(r, row);
	const char *note = row->proc ? row->proc->note : below ? "" : a->note;
	if (!row->proc && action_note(a, width, utf8, out, cap)) {
		return;
	}
	if (row->proc ? row->proc->leak : a->leak) {
		leak_note(row, width, out, cap);
	} else if (note[0] && width < NARROW) {
		shorten(p, row->proc ? row->proc->state : a->state, note, out, cap);
	} else if (note[0]) {
		snprintf(out, cap, "%s", note);
	} else if (!row->proc && a->drift[0]) {
		snprintf(out, cap, "%s", width < NARROW ? "file changed" : a->drift);
	} else if (p && width >= NARROW) {
		exit_note(m, p, out, cap);
	}
}
