/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITRUN_H
#define PMCTL_CLIENT_MONITRUN_H
/*
 * monitrun - actions of the dashboard: pmctl itself as a child, whose output goes into the status
 * line and, where it is longer, into a box. So an action means exactly what the command means.
 *
 * Children that still run when the dashboard ends go on; that is said in a line.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/client.h"
#include "ui/ui.h"

#define MONITRUN_MAX 8 /* at once */

struct monitrun_child {
	pid_t pid; /* 0 = free */
	int pidfd, fd;
	char title[128]; /* its command line */
	bool shows;	 /* what it prints is what it is for */
	bool plan;
	const char *action;	    /* it replaces instances: "reload"; NULL = it does not */
	char *sel;		    /* of these, selectors with commas between them; owned */
	char out[OVERLAY_TEXT_MAX]; /* the end of what it printed */
	size_t len;
};

struct monitrun {
	struct client *c;
	struct ui *ui;
	int epoll_fd;
	struct monitrun_child child[MONITRUN_MAX];
};

void monitrun_init(struct monitrun *r, struct client *c, struct ui *ui);
/* The terminal is given back already: it is said what goes on. */
void monitrun_finish(struct monitrun *r);
/* Start a command line, words as in a shell, without "pmctl" (EFFECT_COMMAND). */
void monitrun_start(struct monitrun *r, const char *line);
/* Readable when a child said something or ended; -1 = none runs. */
int monitrun_fd(const struct monitrun *r);
/* Take what there is. True if something changed. */
bool monitrun_read(struct monitrun *r);

#endif
