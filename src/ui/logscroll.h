/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LOGSCROLL_H
#define PMCTL_UI_LOGSCROLL_H
/*
 * logscroll - which part of the lines the log pane shows: rows, wrapped lines, the current line.
 * Pure. What keys do with it stands in ui/logpane.h.
 */
#include "ui/logpane.h"

#define LOGSCROLL_NONE UINT64_MAX

struct logrow {
	uint64_t line;
	int part; /* which row of a wrapped line */
};

/* The columns before the text of a line, with time, mark and name. */
int logscroll_indent(const struct logpane *p);
/* Columns of the names before the lines; 0 = there are none. */
int logscroll_name_width(const struct logpane *p);
/* Whether the pane is as narrow as a split of a terminal: no times, no long names. */
bool logscroll_is_compact(const struct logpane *p);
/* Whether only the numbers of instances stand there. */
bool logscroll_has_slots(const struct logpane *p);
/* The rows of the pane from top to bottom; returns how many there are. Notes the top line. */
int logscroll_window(struct logpane *p, struct logrow *out, int rows);
/* Whether a filter leaves rows empty that older lines could fill. */
bool logscroll_is_sparse(struct logpane *p);
/* The last line the filter shows; LOGSCROLL_NONE = there is none. */
uint64_t logscroll_last(struct logpane *p);
/* Stop to follow and have this line in sight, and as the current one. */
void logscroll_show(struct logpane *p, uint64_t number);
/* The lines, the filter or the size have changed: stay where we were, as far as that still is. */
void logscroll_settle(struct logpane *p);

#endif
