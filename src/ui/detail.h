/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_DETAIL_H
#define PMCTL_UI_DETAIL_H
/*
 * detail - what only `show` knows of the selection: command, file, limits ... Pure.
 *
 * client/monitdata.c fills it when the selection rests (EFFECT_DETAIL).
 */
#include <stdbool.h>

#include "ui/model.h"

#define DETAIL_ROWS 24

struct detail {
	char selector[MODEL_NAME * 2]; /* whose it is; "" = nobody's yet */
	int n;
	int top; /* the first row that is shown, for a pane that is too low */
	struct {
		char key[16], value[MODEL_NOTE];
	} row[DETAIL_ROWS];
};

/* Another selection: forget the last one's. */
void detail_clear(struct detail *d, const char *selector);
/* Add a row; what does not fit is left out. */
void detail_add(struct detail *d, const char *key, const char *value);

#endif
