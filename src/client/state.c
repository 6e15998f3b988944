/* SPDX-License-Identifier: MIT */
#include "client/state.h"

#include "ui/look.h"

const char *state_mark(const char *state, bool utf8)
{
	return look_mark(state, utf8);
}

enum style state_style(const char *state)
{
	static const enum style styles[UI_STYLES] = {
		[UI_DIM] = STYLE_DIM,	[UI_BOLD] = STYLE_BOLD, [UI_OK] = STYLE_OK,
		[UI_WARN] = STYLE_WARN, [UI_FAIL] = STYLE_FAIL, [UI_INFO] = STYLE_INFO,
	};
	return styles[look_style(state)];
}
