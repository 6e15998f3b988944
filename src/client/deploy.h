/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_DEPLOY_H
#define PMCTL_CLIENT_DEPLOY_H
/*
 * deploy - an app list on its way to the daemon: which profile is meant, and how a list that is
 * larger than a request is sent.
 *
 * Without --env the profile is the one the list was applied with last, so that nobody has to
 * remember it; --env= means the base alone.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "config/ini.h"

struct client;

struct deploy {
	struct ini_file f;
	int64_t read_ms; /* since the epoch: before it was read */
	char *profile;	 /* NULL = the base alone */
};

/* Read and check the list. If a daemon runs it is asked for the profile, and is connected then.
 * Errors are reported. Returns 0 or the exit status; finish it in every case. */
int deploy_load(struct client *c, const char *path, struct deploy *out);
void deploy_finish(struct deploy *d);

/* What the list says of itself: the parameter `list`. */
json_t *deploy_list(const struct deploy *d);

/* The parameters of plan and apply: these definitions (taken over), behind so many that were
 * staged. */
json_t *deploy_params(const struct deploy *d, json_t *defs, size_t staged);
/* The parameters apps, list and staged of plan and apply: what does not fit into the request has
 * been staged. NULL with *err on failure. Connects. */
json_t *deploy_send(struct client *c, const struct deploy *d, struct err *err);

#endif
