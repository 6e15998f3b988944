/* SPDX-License-Identifier: MIT */
#include "client/state.h"

#include <string.h>

#include "common/mem.h"

static const struct look {
	const char *state, *utf8, *ascii;
	enum style style;
} looks[] = {
	{"online", "●", "*", STYLE_OK},	    {"starting", "◐", "~", STYLE_INFO},
	{"stopping", "◐", "~", STYLE_INFO}, {"backoff", "◐", "~", STYLE_WARN},
	{"degraded", "▲", "!", STYLE_WARN}, {"failed", "✖", "X", STYLE_FAIL},
	{"stopped", "○", "o", STYLE_DIM},   {"done", "○", "o", STYLE_DIM},
};

static const struct look *find(const char *state)
{
	static const struct look unknown = {"", "?", "?", STYLE_NONE};
	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		if (strcmp(looks[i].state, state) == 0) {
			return &looks[i];
		}
	}
	return &unknown;
}

const char *state_mark(const char *state, bool utf8)
{
	const struct look *l = find(state);
	return utf8 ? l->utf8 : l->ascii;
}

enum style state_style(const char *state)
{
	return find(state)->style;
}
