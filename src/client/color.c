/* SPDX-License-Identifier: MIT */
#include "client/color.h"

#include <string.h>

bool color_parse(const char *text, enum color_when *out)
{
	static const char *const names[] = {"auto", "always", "never"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum color_when)i;
			return true;
		}
	}
	return false;
}

static bool is_set(const char *s)
{
	return s && s[0];
}

static bool is_on(const char *s)
{
	return is_set(s) && strcmp(s, "0") != 0;
}

bool color_decide(enum color_when when, const struct color_env *env, bool is_tty)
{
	if (when != COLOR_AUTO) {
		return when == COLOR_ALWAYS;
	}
	if (is_set(env->no_color)) {
		return false;
	}
	if (is_on(env->clicolor_force) || is_on(env->force_color)) {
		return true;
	}
	if ((env->clicolor && strcmp(env->clicolor, "0") == 0) ||
	    (env->term && strcmp(env->term, "dumb") == 0)) {
		return false;
	}
	return is_tty;
}

const char *color_begin(enum style s)
{
	static const char *const begin[] = {
		[STYLE_NONE] = "",	     [STYLE_OK] = "\033[32m",	[STYLE_WARN] = "\033[33m",
		[STYLE_FAIL] = "\033[1;31m", [STYLE_INFO] = "\033[36m", [STYLE_DIM] = "\033[2m",
		[STYLE_BOLD] = "\033[1m",
	};
	return begin[s];
}

const char *color_hue(unsigned n)
{
	static const char *const hues[] = {"\033[36m", "\033[32m", "\033[35m", "\033[34m",
					   "\033[33m", "\033[96m", "\033[95m", "\033[94m"};
	return hues[n % (sizeof(hues) / sizeof(hues[0]))];
}
