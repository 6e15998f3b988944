/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITFILL_H
#define PMCTL_CLIENT_MONITFILL_H
/*
 * monitfill - lines of log files into the log pane, in the order of time, with what happened
 * between them.
 *
 * Two readers over the same files begin at one place: one goes forward and brings what is written,
 * the other backward and brings older lines. What both gave is what the pane holds, unless lines
 * went at one of its ends; then both are placed anew around the line that is looked at.
 * Everything works in slices: a deadline (monotonic ms) ends it, and it goes on later.
 */
#include <stdbool.h>
#include <stdint.h>

#include "client/logmatch.h"
#include "client/logset.h"
#include "client/monitfiles.h"
#include "ui/ui.h"

enum monitfill_seek { SEEK_GOES_ON, SEEK_FOUND, SEEK_NOTHING };

struct monitfill {
	struct ui *ui;
	const struct monitfiles *files; /* the chosen ones */
	const struct monitwant *want;
	struct logset fwd, back;
	bool open;
	struct back_line {
		struct logline line;
		size_t seg;
		uint64_t at;
	} * prev; /* of each source of `back` that is in the merge */
	struct logmerge merge;
	bool *in_piece; /* of each source of `fwd`: the rest of a long line comes */
	bool back_begun, back_ended;
	uint64_t ev_next,
		ev_prev;  /* events (numbers in the feed) that come next, forward and back */
	int64_t since_ms; /* no older lines; INT64_MIN = all */
	int older_left;	  /* lines still to be brought in front */
	uint64_t added;	  /* lines brought forward, ever */
	struct monitfill_spot {
		bool known;
		size_t source;
		dev_t dev;
		ino_t ino;
		uint64_t at;
	} spot;		       /* where a line begins that was found */
	struct logmatch match; /* what is sought */
	struct logmatch
		sieve; /* what the filter lets through, as far as a look at files can tell */
	bool sieves;   /* it is used */
	char sieve_text[LOGPANE_TEXT];
	bool seeking;
	int seek_dir;
	int64_t stop_deadline;	       /* while lines are passed over */
	struct logpane_line seek_from; /* the current line when it began; text NULL = none */
	struct buf copy;
};

void monitfill_init(struct monitfill *f, struct ui *ui, const struct monitfiles *files,
		    const struct monitwant *want);
void monitfill_finish(struct monitfill *f);
/* Fill the pane anew, from where it says (logpane.from). */
void monitfill_place(struct monitfill *f, int64_t deadline);
/* Place both readers so that the current line is among the lines again, with more around it. */
void monitfill_around_current(struct monitfill *f, int64_t deadline);
/* The filter was changed, and lines it lets through now were left out: fill the pane anew. */
void monitfill_refill(struct monitfill *f, int64_t deadline);
/* Bring older lines that are still owed (older_left), of those that pass the filter. True if any
 * came. */
bool monitfill_older(struct monitfill *f, int64_t deadline);
/* Bring lines that were written, and events. False if nothing came. */
bool monitfill_newer(struct monitfill *f, int64_t deadline);
/* Bring events that no line comes after any more. True if any came. */
bool monitfill_events(struct monitfill *f, int64_t now_ms);
/* Whether an event waits for that. */
bool monitfill_has_event(const struct monitfill *f);
/* Begin to look for the pane's search beyond its lines: -1 back, 1 on. */
void monitfill_seek(struct monitfill *f, int dir, int64_t deadline);
/* Go on with it. */
enum monitfill_seek monitfill_seek_on(struct monitfill *f, int64_t deadline);
/* End it where it is, or back where it began. */
void monitfill_seek_end(struct monitfill *f);
void monitfill_seek_return(struct monitfill *f, int64_t deadline);

#endif
