/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_FILTER_H
#define PMCTL_UI_FILTER_H
/*
 * filter - which apps and instances are shown: what the user types after `/`. Pure.
 *
 * Words separated by blanks, all of which must hold. A word is found in name, namespace or state,
 * as plain text or as an extended regular expression; cpu mem io rst fd thr up with < > <= >= = and
 * a number (200M, 10m) ask a figure; a leading `!` turns a word around.
 */
#include <regex.h>
#include <stdbool.h>

#include "ui/model.h"

#define FILTER_TEXT  128
#define FILTER_WORDS 8

enum filter_op { FILTER_LESS, FILTER_MORE, FILTER_LEAST, FILTER_MOST, FILTER_EQUAL };

struct filter_word {
	bool not, asks; /* asks: a figure */
	int figure;
	enum filter_op op;
	double value;
	char text[FILTER_TEXT];
	bool is_re;
	regex_t re;
};

/* Zeroed = lets all pass. */
struct filter {
	char text[FILTER_TEXT]; /* as it was typed */
	char error[200];	/* what is wrong with it; "" = nothing. The rest of it counts. */
	int n;
	struct filter_word word[FILTER_WORDS];
};

void filter_finish(struct filter *f);
/* Take this text; cheap if it is the one it has. False: f->error. */
bool filter_set(struct filter *f, const char *text);
/* Whether it lets the app as a whole pass (proc NULL), or this instance. */
bool filter_match(const struct filter *f, const struct ui_app *app, const struct ui_proc *proc);

#endif
