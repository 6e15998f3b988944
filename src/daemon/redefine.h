/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_REDEFINE_H
#define PMCTL_DAEMON_REDEFINE_H
/*
 * redefine - give an app another definition, whether it runs or not.
 *
 * What can be changed under a running process is changed at once: logs, probes, limits that we
 * watch, the schedule, the number of instances. What belongs to a process from its start
 * (config/keys.h says which) counts for those that start from now on; to replace the others is the
 * caller's business, daemon/apply.h.
 */
#include <stdbool.h>

#include "common/err.h"

struct app;
struct app_conf;
struct app_def;
struct asker;

/* def is taken over, also on failure; nothing is changed then. *old (may be NULL) gets the
 * definition that was in force. The number of instances is what the definition says; new ones are
 * stopped. */
bool redefine_app(struct app *app, struct app_def *def, const struct asker *by,
		  struct app_def **old, struct err *err);
/* app->previous is in force again: as it was, when it was applied, with as many instances as it had
 * been scaled to. Those that were scaled away meanwhile are there again, and stopped. */
bool redefine_back(struct app *app, struct err *err);
/* It says the same, in other lines of its file. Taken over. */
void redefine_lines(struct app *app, struct app_def *def);
/* From now on this is in force, and what can change under processes does; the first one of a new
 * app, too. def and conf are taken over; the definition that was in force is still the caller's. */
void redefine_set(struct app *app, struct app_def *def, struct app_conf *conf,
		  const struct asker *by);
/* All errors of a definition in one message. conf is the caller's, also on failure. */
bool redefine_decode(struct app_conf *conf, const struct app_def *def, struct err *err);
/* Only root may run apps as somebody else. */
bool redefine_may_be_user(const struct app *app, struct err *err);
/* The same for settings that are not in force yet. */
bool redefine_check_user(const struct app_conf *conf, struct err *err);
/* How many instances a definition asks for on this machine. */
int redefine_count(const struct app_conf *c);

#endif
