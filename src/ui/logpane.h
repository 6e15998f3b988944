/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_LOGPANE_H
#define PMCTL_UI_LOGPANE_H
/*
 * logpane - the lines in the log pane, and which of them are looked at. Pure.
 *
 * A ring of lines that follow one another in the log files: at its end come those that are written,
 * at its front older ones when somebody scrolls there. What is too much goes at the other end.
 * While there is a filter, lines that do not pass it are not added.
 * client/monitlogs.c brings the lines: whose is said by the title and the generation, from where on
 * by `from`, more of them is asked for by want_older and want_newer.
 */
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/model.h"

#define LOGPANE_LINES 2000
#define LOGPANE_LINE  4096		/* bytes of a line that are kept */
#define LOGPANE_BYTES (2 * 1024 * 1024) /* of all lines together */
#define LOGPANE_WANT  2048
#define LOGPANE_MARKS 32
#define LOGPANE_TEXT  128 /* bytes of a search or filter */

struct logpane_line {
	int64_t t_ms;
	char app[MODEL_NAME];
	int slot;     /* -1 = the app as a whole */
	unsigned hue; /* tells the apps apart */
	bool err;     /* from stderr */
	bool event;   /* what happened, not what was written */
	bool cut;     /* it was longer */
	bool marked;
	signed char shown; /* passes the filter: 1, 0; -1 = not looked at yet */
	size_t len;
	char *text; /* owned, ends with a NUL; made safe, colours (SGR) left in */
};

/* Where the lines begin that are wanted. */
enum logpane_from {
	LOGPANE_TAIL,
	LOGPANE_HEAD,  /* the oldest that are stored */
	LOGPANE_SINCE, /* at_ms, and then all up to now */
	LOGPANE_AT,    /* around at_ms */
};

struct logpane_mark {
	int64_t t_ms;
	int slot;
	size_t len;
	char text[16]; /* its beginning */
};

struct logpane {
	struct logpane_line *ring; /* LOGPANE_LINES of them */
	uint64_t first, end;	   /* numbers of the oldest line and behind the newest one */
	size_t bytes;		   /* of their texts */
	/* what is looked at */
	bool follow;
	uint64_t bottom; /* behind the last line shown, if it does not follow */
	uint64_t top;	 /* the first line shown */
	int below;	 /* rows of that line that are below the pane, where lines are wrapped */
	uint64_t cur;	 /* the line keys are about, if it does not follow */
	uint64_t fresh;	 /* lines that came since it stopped to follow, */
	bool counts;	 /* unless it was somewhere in the past even then */
	bool times, wrap, err_only, json;
	int sideways;		   /* columns the text is moved by */
	char search[LOGPANE_TEXT]; /* shown as hits; "" = none */
	char filter[LOGPANE_TEXT]; /* only such lines; "" = all */
	bool filter_not;	   /* only others */
	bool search_is_new;	   /* the current line counts, too */
	regex_t search_re, filter_re;
	struct logpane_mark mark[LOGPANE_MARKS]; /* marked lines, also of those that went */
	int nmarks;
	/* the pane on the screen, without its title line; 0 rows = hidden: set by the view */
	int rows, cols;
	int settled_rows, settled_cols; /* the size it was last drawn in */
	bool utf8;
	/* whose lines, see logpane_choose() */
	char want[LOGPANE_WANT]; /* selectors with commas between them; "" = nobody's */
	char title[64];
	uint64_t generation; /* +1 each time others are wanted */
	enum logpane_from from;
	int64_t at_ms;
	char since[8];		     /* what LOGPANE_SINCE is called: "5m" */
	bool want_older, want_newer; /* somebody looks beyond the first or last line */
	/* told by who brings them */
	bool head_cut, tail_cut; /* lines that were before the first, or behind the end, are gone */
	bool sieved;  /* lines that do not pass the filter were left out, and when it is another: */
	bool refill;  /* other lines are wanted */
	bool raw;     /* some that do not pass may be among them, from before */
	bool more;    /* there are lines behind the end that were not brought yet */
	bool several; /* instances: each line says whose it is */
	int name_width; /* of the longest of their names, */
	int slot_width; /* of the longest of their numbers */
	double rate;	/* lines a second */
	bool seeking;	/* a search goes on in what is stored */
	char note[64];	/* what it is at: "searching 14:03", "no log files"; "" = nothing */
};

void logpane_init(struct logpane *p);
void logpane_finish(struct logpane *p);
/* No lines; it follows. What was chosen (filter, wrap ...) stays. */
void logpane_clear(struct logpane *p);

/* Want the lines of other instances. False: it is these already. */
bool logpane_choose(struct logpane *p, const char *want, const char *title);

/* --- lines --- */

/* Add a line at the end, or before the first one; it is copied and made safe. */
void logpane_add(struct logpane *p, const struct logpane_line *line);
void logpane_add_front(struct logpane *p, const struct logpane_line *line);
/* Whether a line at the end would push out one that somebody is looking at. */
bool logpane_is_full(const struct logpane *p);
/* NULL = not kept (any more). */
const struct logpane_line *logpane_get(const struct logpane *p, uint64_t number);
/* Whether lines are left out: there is a filter. */
bool logpane_sieves(const struct logpane *p);
/* Whether the filter lets it through. */
bool logpane_shows(struct logpane *p, uint64_t number);
/* The same for a line that is not in the pane, and whether it has a hit of the search. */
bool logpane_would_find(const struct logpane *p, const struct logpane_line *line);
/* The line as it would be kept; its text belongs to the caller. */
void logpane_make_line(struct logpane_line *to, const struct logpane_line *from);
/* The filter is another one, or what it looks at. */
void logpane_sift(struct logpane *p);
/* Whether case does not matter in this expression: it has no capitals. */
bool logpane_ignores_case(const char *expression);
/* Whether it has a hit of the search. */
bool logpane_hit(const struct logpane *p, const struct logpane_line *l);
/* The line copying and marking are about; NULL = there is none. */
const struct logpane_line *logpane_current(struct logpane *p);

/* --- what a key does (logkeys.c) --- */

/* Move by lines (rows where they are wrapped), down is positive; at the end it follows again. */
void logpane_move(struct logpane *p, int64_t by);
/* By half pages: 1 is Ctrl-D, -1 Ctrl-U, 2 and -2 whole pages. */
void logpane_page(struct logpane *p, int halves);
/* To the oldest line there is (-1), or to the end (1), which it follows then. */
void logpane_edge(struct logpane *p, int dir);
void logpane_follow(struct logpane *p, bool on);
/* By half a page to the right (1) or left (-1). */
void logpane_sideways(struct logpane *p, int dir);
void logpane_toggle_times(struct logpane *p);
void logpane_toggle_wrap(struct logpane *p);
void logpane_toggle_err(struct logpane *p);
void logpane_toggle_json(struct logpane *p);
/* Only lines that match an extended regular expression, or with "!" in front only others; "" = all.
 * Without capitals case does not matter. False: it is none, and why. */
bool logpane_filter(struct logpane *p, const char *text, char *why, size_t cap);
/* Show hits of such an expression, "" = none. The caller goes on with logpane_next(p, -1). */
bool logpane_search(struct logpane *p, const char *text, char *why, size_t cap);
/* To the next line with a hit: -1 = older ones (n), 1 = younger ones (N). False: there is none
 * among the lines that are kept, ask for EFFECT_SEARCH with that number. */
bool logpane_next(struct logpane *p, int dir);
/* End a search that goes on (Esc). True if there was one. */
bool logpane_cancel(struct logpane *p);
/* Mark or unmark the current line. */
void logpane_mark(struct logpane *p);
/* The key 0 to 6: tail, head, 1, 5, 15, 30 minutes, 1 hour. The caller asks for EFFECT_LOGS. */
void logpane_since(struct logpane *p, int key, int64_t now_ms);
/* The lines around a moment. The caller asks for EFFECT_LOGS. */
void logpane_at(struct logpane *p, int64_t t_ms);
/* The line in this row of the pane, from 0 on, becomes the current one: a click. */
void logpane_pick(struct logpane *p, int row);

#endif
