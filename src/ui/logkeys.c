/* SPDX-License-Identifier: MIT */
/* What the keys of the log pane do with it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ui/logpane.h"
#include "ui/logscroll.h"

void logpane_toggle_times(struct logpane *p)
{
	p->times = !p->times;
	p->below = 0;
}

void logpane_toggle_wrap(struct logpane *p)
{
	p->wrap = !p->wrap;
	p->sideways = p->below = 0;
	logscroll_settle(p);
}

void logpane_toggle_err(struct logpane *p)
{
	p->err_only = !p->err_only;
	logpane_sift(p);
}

void logpane_toggle_json(struct logpane *p)
{
	p->json = !p->json;
	logpane_sift(p);
}

void logpane_sideways(struct logpane *p, int dir)
{
	int to = p->sideways + dir * (p->cols > 1 ? p->cols / 2 : 1);
	p->sideways = p->wrap || to < 0 ? 0 : to > LOGPANE_LINE * 4 ? p->sideways : to;
}

bool logpane_ignores_case(const char *expression)
{
	for (; *expression; expression++) {
		if (isupper((unsigned char)*expression)) {
			return false;
		}
	}
	return true;
}

static bool compile(regex_t *re, const char *text, char *why, size_t cap)
{
	int flags = REG_EXTENDED | (logpane_ignores_case(text) ? REG_ICASE : 0);
	int r = strlen(text) >= LOGPANE_TEXT ? REG_ESPACE : regcomp(re, text, flags);
	if (r != 0) {
		regerror(r, re, why, cap);
	}
	return r == 0;
}

bool logpane_filter(struct logpane *p, const char *text, char *why, size_t cap)
{
	regex_t re;
	bool not = text[0] == '!';
	text += not ;
	if (text[0] && !compile(&re, text, why, cap)) {
		return false;
	}
	if (p->filter[0]) {
		regfree(&p->filter_re);
	}
	snprintf(p->filter, sizeof(p->filter), "%s", text);
	p->filter_not = not ;
	if (text[0]) {
		p->filter_re = re;
	}
	logpane_sift(p);
	return true;
}

bool logpane_search(struct logpane *p, const char *text, char *why, size_t cap)
{
	regex_t re;
	if (text[0] && !compile(&re, text, why, cap)) {
		return false;
	}
	if (p->search[0]) {
		regfree(&p->search_re);
	}
	snprintf(p->search, sizeof(p->search), "%s", text);
	if (text[0]) {
		p->search_re = re;
	}
	p->seeking = false;
	p->search_is_new = true;
	return true;
}

/* From the current line on; just after the expression was typed that one counts, too. */
bool logpane_next(struct logpane *p, int dir)
{
	uint64_t at = p->follow ? p->end : p->cur - (uint64_t)(int64_t)(p->search_is_new ? dir : 0);
	p->search_is_new = false;
	while (p->search[0]) {
		at += (uint64_t)(int64_t)dir;
		const struct logpane_line *l = logpane_get(p, at);
		if (!l) {
			break;
		}
		if (logpane_shows(p, at) && logpane_hit(p, l)) {
			logscroll_show(p, at);
			return true;
		}
	}
	return false;
}

bool logpane_cancel(struct logpane *p)
{
	bool was = p->seeking;
	p->seeking = false;
	return was;
}

void logpane_since(struct logpane *p, int key, int64_t now_ms)
{
	static const struct {
		const char *name;
		int minutes;
	} since[] = {{"1m", 1}, {"5m", 5}, {"15m", 15}, {"30m", 30}, {"1h", 60}};
	p->from = key == 0 ? LOGPANE_TAIL : key == 1 ? LOGPANE_HEAD : LOGPANE_SINCE;
	if (key >= 2 && key <= 6) {
		p->at_ms = now_ms - since[key - 2].minutes * INT64_C(60000);
		snprintf(p->since, sizeof(p->since), "%s", since[key - 2].name);
	}
	p->generation++;
}

void logpane_at(struct logpane *p, int64_t t_ms)
{
	p->from = LOGPANE_AT;
	p->at_ms = t_ms;
	p->generation++;
}
