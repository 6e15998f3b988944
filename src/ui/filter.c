/* SPDX-License-Identifier: MIT */
#include "ui/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"

enum figure { FIG_CPU, FIG_MEM, FIG_IO, FIG_RST, FIG_FD, FIG_THR, FIG_UP };

static const struct {
	const char *name;
	enum figure figure;
} figures[] = {{"cpu", FIG_CPU}, {"mem", FIG_MEM}, {"io", FIG_IO}, {"rst", FIG_RST},
	       {"fd", FIG_FD},	 {"thr", FIG_THR}, {"up", FIG_UP}};

void filter_finish(struct filter *f)
{
	for (int i = 0; i < f->n; i++) {
		if (f->word[i].is_re) {
			regfree(&f->word[i].re);
		}
	}
	*f = (struct filter){0};
}

static bool wrong(struct filter *f, const char *what, const char *word)
{
	snprintf(f->error, sizeof(f->error), "%s: %.80s", what, word);
	return false;
}

static bool parse_value(enum figure figure, const char *text, double *out)
{
	int64_t v;
	char *end;
	if (figure == FIG_MEM || figure == FIG_IO) {
		bool ok = units_parse_size(text, &v);
		*out = ok ? (double)v : 0;
		return ok;
	}
	if (figure == FIG_UP) {
		bool ok = units_parse_duration(text, &v);
		*out = ok ? (double)v : 0;
		return ok;
	}
	*out = strtod(text, &end);
	return end != text && (*end == '\0' || strcmp(end, "%") == 0) && isfinite(*out);
}

/* "cpu>=50". False: not a question for a figure at all. */
static bool take_figure(struct filter *f, struct filter_word *w, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		size_t len = strlen(figures[i].name);
		const char *op = word + len;
		if (strncmp(word, figures[i].name, len) != 0 || !*op || !strchr("<>=", *op)) {
			continue;
		}
		bool or_equal = *op != '=' && op[1] == '=';
		w->asks = true;
		w->figure = (int)figures[i].figure;
		w->op = *op == '='   ? FILTER_EQUAL
			: *op == '<' ? (or_equal ? FILTER_MOST : FILTER_LESS)
				     : (or_equal ? FILTER_LEAST : FILTER_MORE);
		if (!parse_value(figures[i].figure, op + 1 + or_equal, &w->value)) {
			wrong(f, "no number to compare with", word);
			f->n--; /* as if it had not been typed */
		}
		return true;
	}
	return false;
}

static void take_word(struct filter *f, const char *word)
{
	if (f->n == FILTER_WORDS) {
		wrong(f, "too many words", word);
		return;
	}
	struct filter_word *w = &f->word[f->n++];
	*w = (struct filter_word){.not = word[0] == '!'};
	word += w->not ;
	if (!word[0]) {
		f->n--;
		return;
	}
	if (take_figure(f, w, word)) {
		return;
	}
	snprintf(w->text, sizeof(w->text), "%s", word);
	int bad = regcomp(&w->re, word, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	w->is_re = bad == 0;
	if (bad) {
		char why[80];
		regerror(bad, &w->re, why, sizeof(why));
		wrong(f, why, word);
	}
}

bool filter_set(struct filter *f, const char *text)
{
	char copy[FILTER_TEXT], *rest = NULL;
	if (strcmp(f->text, text) == 0) {
		return !f->error[0];
	}
	filter_finish(f);
	snprintf(f->text, sizeof(f->text), "%s", text);
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " \t", &rest); w; w = strtok_r(NULL, " \t", &rest)) {
		take_word(f, w);
	}
	return !f->error[0];
}

static double value_of(const struct ui_figures *f, int figure)
{
	switch (figure) {
	case FIG_CPU:
		return f->cpu_pct;
	case FIG_MEM:
		return f->mem_bytes < 0 ? NAN : (double)f->mem_bytes;
	case FIG_IO:
		return f->io_bps;
	case FIG_RST:
		return f->restarts;
	case FIG_FD:
		return f->fds < 0 ? NAN : f->fds;
	case FIG_THR:
		return f->threads < 0 ? NAN : f->threads;
	default:
		return f->up_ms < 0 ? NAN : (double)f->up_ms;
	}
}

/* What is not known is neither more nor less than anything. */
static bool compare(const struct filter_word *w, double v)
{
	return w->op == FILTER_LESS    ? v < w->value
	       : w->op == FILTER_MORE  ? v > w->value
	       : w->op == FILTER_LEAST ? v >= w->value
	       : w->op == FILTER_MOST  ? v <= w->value
				       : v >= w->value && v <= w->value;
}

static bool in_text(const struct filter_word *w, const char *text)
{
	return strcasestr(text, w->text) || (w->is_re && regexec(&w->re, text, 0, NULL, 0) == 0);
}

static bool in_names(const struct filter_word *w, const struct ui_app *a, const struct ui_proc *p)
{
	char name[MODEL_NAME + 16];
	snprintf(name, sizeof(name), p ? "%s:%d" : "%s", a->name, p ? p->slot : 0);
	return in_text(w, name) || (a->ns[0] && in_text(w, a->ns)) ||
	       in_text(w, p ? p->state : a->state);
}

bool filter_match(const struct filter *f, const struct ui_app *app, const struct ui_proc *proc)
{
	for (int i = 0; i < f->n; i++) {
		const struct filter_word *w = &f->word[i];
		const struct ui_figures *fig = proc ? &proc->fig : &app->fig;
		bool is = w->asks ? compare(w, value_of(fig, w->figure)) : in_names(w, app, proc);
		if (is == w->not ) {
			return false;
		}
	}
	return true;
}
