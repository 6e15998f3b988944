/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITDRIFT_H
#define PMCTL_CLIENT_MONITDRIFT_H
/*
 * monitdrift - app lists that are not what runs, for the dashboard: a notice for each list, a word
 * for each app.
 *
 * It wakes nobody: when a sample came anyway, and about once a second, the files of the lists
 * are looked at with stat(2). Only one that has become another is read, and its plan asked for; no
 * answer is waited for (client/monitlink.h). Owned by struct monit.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/drift.h"
#include "client/monitlink.h"

/* What is known of one list. */
struct monitdrift_list {
	const json_t *list;	 /* of struct monitdrift.lists */
	uint64_t stamp;		 /* of its files when they were looked at; 0 = not yet */
	char trouble[DRIFT_WHY]; /* why it cannot be compared; "" = it can */
	json_t *plan;		 /* owned; NULL = it is as it was applied */
};

struct monitdrift {
	struct monitlink *link;
	struct ui *ui;
	json_t *lists; /* the daemon's answer; NULL = none */
	struct monitdrift_list *v;
	size_t n;
	size_t at;	   /* the one that is looked at; n = none */
	bool asking;	   /* an answer has to come first */
	unsigned turn;	   /* monitlink's, when the lists were asked for */
	int64_t next_mono; /* not before, ms */
};

void monitdrift_init(struct monitdrift *d, struct monitlink *l, struct ui *ui);
void monitdrift_finish(struct monitdrift *d);
/* Look, if it is time. True if the screen may be another one. */
bool monitdrift_look(struct monitdrift *d, int64_t now_mono);

#endif
