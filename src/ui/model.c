/* SPDX-License-Identifier: MIT */
#include "ui/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static void init_figures(struct ui_figures *f)
{
	*f = (struct ui_figures){.cpu_pct = NAN,
				 .mem_bytes = -1,
				 .io_bps = NAN,
				 .fds = -1,
				 .threads = -1,
				 .up_ms = -1};
	series_init(&f->cpu, MODEL_CPU_STEP_MS);
	series_init(&f->mem, MODEL_MEM_STEP_MS);
}

void model_init(struct model *m)
{
	*m = (struct model){.host = {.cpu_pct = NAN, .load1 = NAN}};
	series_init(&m->host.cpu, MODEL_CPU_STEP_MS);
	series_init(&m->host.mem, MODEL_MEM_STEP_MS);
}

static void free_app(struct ui_app *a)
{
	for (int i = 0; i < a->nprocs; i++) {
		free(a->proc[i]);
	}
	free(a->proc);
	free(a);
}

void model_finish(struct model *m)
{
	for (int i = 0; i < m->napps; i++) {
		free_app(m->app[i]);
	}
	free(m->app);
	*m = (struct model){0};
}

void model_begin(struct model *m)
{
	for (int i = 0; i < m->napps; i++) {
		struct ui_app *a = m->app[i];
		a->seen = false;
		for (int k = 0; k < a->nprocs; k++) {
			a->proc[k]->seen = false;
		}
	}
	m->online = m->wanted = 0;
}

struct ui_app *model_find(const struct model *m, const char *name)
{
	for (int i = 0; i < m->napps; i++) {
		if (strcmp(m->app[i]->name, name) == 0) {
			return m->app[i];
		}
	}
	return NULL;
}

struct ui_proc *model_find_proc(const struct ui_app *a, int slot)
{
	for (int i = 0; i < a->nprocs; i++) {
		if (a->proc[i]->slot == slot) {
			return a->proc[i];
		}
	}
	return NULL;
}

struct ui_app *model_app(struct model *m, const char *name)
{
	struct ui_app *a = model_find(m, name);
	if (!a) {
		a = xcalloc(1, sizeof(*a));
		snprintf(a->name, sizeof(a->name), "%s", name);
		init_figures(&a->fig);
		m->app = xreallocarray(m->app, (size_t)m->napps + 1, sizeof(*m->app));
		a->order = m->napps;
		m->app[m->napps++] = a;
	}
	a->seen = true;
	return a;
}

struct ui_proc *model_proc(struct ui_app *a, int slot)
{
	struct ui_proc *p = model_find_proc(a, slot);
	if (!p) {
		int at = a->nprocs;
		p = xcalloc(1, sizeof(*p));
		p->slot = slot;
		p->ready_ms = -1;
		init_figures(&p->fig);
		a->proc = xreallocarray(a->proc, (size_t)a->nprocs + 1, sizeof(*a->proc));
		for (; at > 0 && a->proc[at - 1]->slot > slot; at--) {
			a->proc[at] = a->proc[at - 1];
		}
		a->proc[at] = p;
		a->nprocs++;
	}
	p->seen = true;
	return p;
}

static void sweep_procs(struct ui_app *a)
{
	int n = 0;
	for (int i = 0; i < a->nprocs; i++) {
		if (a->proc[i]->seen) {
			a->proc[n++] = a->proc[i];
		} else {
			free(a->proc[i]);
		}
	}
	a->nprocs = n;
}

void model_end(struct model *m)
{
	int n = 0;
	for (int i = 0; i < m->napps; i++) {
		struct ui_app *a = m->app[i];
		if (!a->seen) {
			free_app(a);
			continue;
		}
		sweep_procs(a);
		a->order = n;
		m->online += a->online;
		m->wanted += a->instances;
		m->app[n++] = a;
	}
	m->napps = n;
}

/* --- actions --- */

static void forget_action(struct ui_app *a)
{
	a->acting = 0;
	a->action[0] = '\0';
	for (int i = 0; i < a->nprocs; i++) {
		a->proc[i]->acting = false;
	}
}

void model_act(struct ui_app *a, struct ui_proc *p, int command, const char *action)
{
	if (a->acting != command) {
		forget_action(a);
	}
	a->acting = command;
	snprintf(a->action, sizeof(a->action), "%s", action);
	p->acting = true;
	p->acting_pid = p->pid;
}

void model_act_end(struct model *m, int command)
{
	for (int i = 0; i < m->napps; i++) {
		if (m->app[i]->acting == command) {
			forget_action(m->app[i]);
		}
	}
}

void model_notices_clear(struct model *m, enum ui_notice_of of)
{
	int n = 0;
	for (int i = 0; i < m->nnotices; i++) {
		if (m->notice[i].of != of) {
			m->notice[n++] = m->notice[i];
		}
	}
	m->nnotices = n;
}

struct ui_notice *model_notice(struct model *m, enum ui_notice_of of, const char *key)
{
	if (m->nnotices == MODEL_NOTICES) {
		return NULL;
	}
	struct ui_notice *n = &m->notice[m->nnotices++];
	*n = (struct ui_notice){.of = of};
	snprintf(n->key, sizeof(n->key), "%s", key);
	return n;
}
