/* SPDX-License-Identifier: MIT */
#include "ui/targets.h"

#include <stdio.h>
#include <string.h>

#include "ui/look.h"

#define LISTED 4

static bool has_marks(const struct model *m)
{
	for (int i = 0; i < m->napps; i++) {
		const struct ui_app *a = m->app[i];
		if (a->marked) {
			return true;
		}
		for (int k = 0; k < a->nprocs; k++) {
			if (a->proc[k]->marked) {
				return true;
			}
		}
	}
	return false;
}

/* Whether this instance is meant, and whether by its whole app. */
static bool is_meant(const struct ui *u, bool marks, const struct ui_app *a,
		     const struct ui_proc *p, bool *whole)
{
	const struct row *row = rows_selected(&u->rows);
	if (marks) {
		*whole = a->marked;
		return a->marked || (p && p->marked);
	}
	if (!row) {
		return false;
	}
	*whole = !row->app || !row->proc;
	return !row->app ? strcmp(row->ns, a->ns) == 0
			 : row->app == a && (!row->proc || row->proc == p);
}

/* slot < 0: the whole app */
static void add(struct targets *t, const char *app, int slot)
{
	char sel[MODEL_NAME * 2];
	size_t len = strlen(t->sel);
	snprintf(sel, sizeof(sel), slot < 0 ? "%s" : "%s:%d", app, slot);
	t->n++;
	if (len + strlen(sel) + 2 > sizeof(t->sel)) {
		t->cut = true;
		return;
	}
	snprintf(t->sel + len, sizeof(t->sel) - len, "%s%s", len ? " " : "", sel);
	snprintf(t->name, sizeof(t->name), "%s", sel);
}

static void add_app(struct targets *t, const struct ui *u, bool marks, struct ui_app *a)
{
	bool whole = false, any = is_meant(u, marks, a, NULL, &whole) && whole;
	if (any) {
		add(t, a->name, -1);
	}
	for (int i = 0; i < a->nprocs; i++) {
		const struct ui_proc *p = a->proc[i];
		if (!is_meant(u, marks, a, p, &whole)) {
			continue;
		}
		if (!whole) {
			add(t, a->name, p->slot);
			t->parts = true;
		}
		any = true;
		t->insts++;
		t->running += p->pid > 0 || look_runs(p->state);
	}
	t->apps += any;
	t->app = any ? a : t->app;
}

bool targets_find(struct targets *t, const struct ui *u)
{
	const struct model *m = &u->model;
	const struct row *row = rows_selected(&u->rows);
	bool marks = has_marks(m);
	*t = (struct targets){0};
	for (int i = 0; i < m->napps; i++) {
		add_app(t, u, marks, m->app[i]);
	}
	t->app = t->apps == 1 ? t->app : NULL;
	if (!marks && row && !row->app && row->ns[0]) {
		snprintf(t->sel, sizeof(t->sel), "@%s", row->ns);
		snprintf(t->name, sizeof(t->name), "@%s", row->ns);
		t->broad = true;
		t->cut = false;
		t->n = 1;
	} else if (t->apps > 1 && t->apps == m->napps && !t->parts) {
		snprintf(t->sel, sizeof(t->sel), "all");
		snprintf(t->name, sizeof(t->name), "all");
		t->broad = true;
		t->cut = false;
		t->n = 1;
	} else if (t->n > 1) {
		snprintf(t->name, sizeof(t->name), "%d %s", t->n, marks ? "marked" : "apps");
	}
	return t->n > 0;
}

void targets_list(const struct ui *u, struct buf *out)
{
	bool marks = has_marks(&u->model);
	int n = 0, first = 1;
	for (int i = 0; i < u->model.napps; i++) {
		struct targets t = {0};
		add_app(&t, u, marks, u->model.app[i]);
		if (t.apps == 0) {
			continue;
		}
		if (n++ < LISTED) {
			buf_addf(out, "%s%s (%d%s)", first ? "" : ", ", u->model.app[i]->name,
				 t.insts,
				 !first		? ""
				 : t.insts == 1 ? " instance"
						: " instances");
			first = 0;
		}
	}
	if (n > LISTED) {
		buf_addf(out, " and %d more", n - LISTED);
	}
}
