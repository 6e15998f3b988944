/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITLOGS_H
#define PMCTL_CLIENT_MONITLOGS_H
/*
 * monitlogs - brings the lines of the selection into the dashboard's log pane: history first, then
 * what is written. Reads the files by itself, so it goes on while the daemon is away.
 *
 * Nothing is read while the pane is hidden, nothing for a selection that is only passed by, and
 * never for longer than a slice, so that keys are answered. Owned by struct monit.
 */
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/monitfill.h"
#include "client/monitlink.h"
#include "client/monitwatch.h"
#include "ui/ui.h"

#define MONITLOGS_RATE_S 5

struct monitlogs {
	struct client *c;
	struct ui *ui;
	struct monitlink *link;
	struct monitfiles known, chosen;
	struct monitwant want;
	struct monitfill fill;
	struct monitwatch watch;
	uint64_t generation;	      /* of the pane, as it was chosen last */
	char *wanted;		      /* whose lines those were; NULL = none yet */
	int64_t choose_mono;	      /* when the choice is acted on, ms; 0 = there is none */
	bool asked;		      /* the daemon, for these files */
	bool answered;		      /* place them */
	bool all_known;		      /* the daemon was asked for all files */
	bool *changed;		      /* of each source */
	bool stale;		      /* they changed meanwhile */
	int64_t rest_mono, look_mono; /* not before, and not later than */
	uint64_t events_seen;
	int64_t rate_s, rate_from_s; /* the second of the newest count, and of the first */
	uint64_t rate[MONITLOGS_RATE_S], rate_added;
};

void monitlogs_init(struct monitlogs *m, struct client *c, struct monitlink *link, struct ui *ui);
void monitlogs_finish(struct monitlogs *m);
/* The pane wants other lines (EFFECT_LOGS). */
void monitlogs_choose(struct monitlogs *m);
/* Look beyond the lines of the pane: -1 back, 1 on (EFFECT_SEARCH). */
void monitlogs_search(struct monitlogs *m, int dir);
/* The files of what is selected: as far as the daemon told of them. */
const struct monitfiles *monitlogs_files(struct monitlogs *m);
/* Readable when files changed; -1 = nothing to wait for. */
int monitlogs_fd(const struct monitlogs *m);
/* When there is something to do (monotonic ms); 0 = nothing. */
int64_t monitlogs_due(const struct monitlogs *m);
/* Do what is due. True if the pane changed. */
bool monitlogs_read(struct monitlogs *m);

#endif
