/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_COLOR_H
#define PMCTL_CLIENT_COLOR_H
/* color - whether a stream gets colour, and which. Pure: the environment is passed in. */
#include <stdbool.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* The variables that matter; NULL = not set. Borrowed. */
struct color_env {
	const char *no_color, *clicolor_force, *force_color, *clicolor, *term;
};

/* "auto", "always", "never"; false if it is none of them. */
bool color_parse(const char *text, enum color_when *out);

/* The option wins, then NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR, CLICOLOR=0 and TERM=dumb, and at
 * last whether this stream is a terminal. */
bool color_decide(enum color_when when, const struct color_env *env, bool is_tty);

enum style { STYLE_NONE, STYLE_OK, STYLE_WARN, STYLE_FAIL, STYLE_INFO, STYLE_DIM, STYLE_BOLD };

/* The escape sequence that begins a style ("" for none), and the one that ends all. */
const char *color_begin(enum style s);
/* One of eight hues to tell apps apart; never red. */
const char *color_hue(unsigned n);
#define COLOR_END "\033[0m"

#endif
