/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_DOCTOR_DIAGNOSIS_H
#define PMCTL_CLIENT_DOCTOR_DIAGNOSIS_H
/*
 * diagnosis - what `pmctl doctor` found: a line for each thing it looked at, in order.
 *
 * Filled by host.c (the machine), own.c (what is ours) and apps.c, printed by command.c.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "client/client.h"

enum finding_is { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
	const char *name;
	enum finding_is is;
	char *text;
	char *fix; /* NULL = nothing is to be done */
};

struct diagnosis {
	struct client *c;
	struct finding *v;
	size_t n;
	/* Of the daemon that answers; NULL and 0 = none does. */
	const json_t *status;
	pid_t keeper;
};

/* Add a finding. name is not copied; the text is cut to a line. */
struct finding *diagnosis_add(struct diagnosis *d, const char *name, enum finding_is is,
			      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* What helps against it. */
void finding_fix(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A path as a word of a command line for a shell. The caller frees. */
char *doctor_quoted(const char *path);
void diagnosis_finish(struct diagnosis *d);

/* The machine: limits, control groups, clock, disk, core files, inotify. d->c->paths is known. */
void doctor_host(struct diagnosis *d);
/* Directories, socket and what was left in them. */
void doctor_files(struct diagnosis *d);
/* The daemon, the versions of all programs, and the start at boot. */
void doctor_daemon(struct diagnosis *d);
/* The app list of this directory, and programs of the apps that the daemon knows. */
void doctor_apps(struct diagnosis *d);

#endif
