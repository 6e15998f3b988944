/* SPDX-License-Identifier: MIT */
#include "ui/look.h"

#include <stddef.h>
#include <string.h>

#include "common/mem.h"

static const struct look {
	const char *state, *utf8, *ascii;
	enum ui_style style;
	int rank;
	bool runs;
} looks[] = {
	{"online", "●", "*", UI_OK, 0, true},	  {"starting", "◐", "~", UI_INFO, 3, true},
	{"stopping", "◐", "~", UI_INFO, 2, true}, {"backoff", "◐", "~", UI_WARN, 5, false},
	{"degraded", "▲", "!", UI_WARN, 4, true}, {"failed", "✖", "X", UI_FAIL, 6, false},
	{"stopped", "○", "o", UI_DIM, 1, false},  {"done", "○", "o", UI_DIM, 1, false},
};

static const struct look *find(const char *state)
{
	static const struct look unknown = {"", "?", "?", UI_PLAIN, 3, false};
	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		if (strcmp(looks[i].state, state) == 0) {
			return &looks[i];
		}
	}
	return &unknown;
}

const char *look_mark(const char *state, bool utf8)
{
	const struct look *l = find(state);
	return utf8 ? l->utf8 : l->ascii;
}

enum ui_style look_style(const char *state)
{
	return find(state)->style;
}

int look_rank(const char *state)
{
	return find(state)->rank;
}

bool look_runs(const char *state)
{
	return find(state)->runs;
}
