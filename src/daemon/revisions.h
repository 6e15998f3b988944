/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_REVISIONS_H
#define PMCTL_DAEMON_REVISIONS_H
/*
 * revisions - the definitions an app had before: one file each, revisions/APP in the state
 * directory.
 *
 * The one in force is in the state file; the others are read only when somebody asks. They have a
 * number that counts from 1; the youngest LIMIT_REVISIONS are kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "config/def.h"
#include "daemon/asker.h"

struct app;
struct daemon;

struct revision {
	unsigned number;
	int64_t applied_real_ms; /* since when it was in force; 0 = not known */
	struct asker by;
	struct app_def *def; /* NULL = it cannot be read any more */
};

struct revisions {
	struct revision *v; /* the oldest first, without the one in force */
	size_t n;
};

/* It was in force and is not any more. One that is the youngest already is not written twice. A
 * failure is logged: what is in force does not depend on it. */
void revisions_push(struct app *app, const struct app_def *def, int64_t applied_real_ms,
		    const struct asker *by);
/* Those of an app; none if there is no file. */
void revisions_load(const struct app *app, struct revisions *out);
void revisions_finish(struct revisions *r);
/* The number of the definition in force. */
unsigned revisions_current(const struct revisions *r);
/* The app is deleted. */
void revisions_forget(const struct app *app);

#endif
