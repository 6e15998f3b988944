/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LOGTEXT_H
#define PMCTL_UI_LOGTEXT_H
/*
 * logtext - a line of the log pane as it is shown: colours as styles, tabs as blanks, JSON folded.
 * Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "ui/logpane.h"

#define LOGTEXT_RUNS 64

struct logtext {
	struct buf text; /* no escape sequences, no tabs */
	struct {
		size_t from;
		uint8_t style; /* enum ui_style */
	} run[LOGTEXT_RUNS];
	int nruns;
	int column; /* behind the text */
};

/* Zeroed, or made before. What of the pane counts: json, utf8. */
void logtext_make(struct logtext *t, const struct logpane *p, const struct logpane_line *l);
void logtext_finish(struct logtext *t);
/* Add some text in a style. */
void logtext_put(struct logtext *t, int style, const char *text, size_t len);
/* The style of the byte at this offset. */
int logtext_style(const struct logtext *t, size_t at);
/* Where the style that begins at or before this offset ends. */
size_t logtext_run_end(const struct logtext *t, size_t at);
/* Bytes of the text from `at` on that fill at most `columns`, at least one character; with the
 * marks that combine with them. */
size_t logtext_fit(const struct logtext *t, size_t at, int columns);
/* Rows of this width; at least 1. */
int logtext_rows(const struct logtext *t, int columns);

#endif
