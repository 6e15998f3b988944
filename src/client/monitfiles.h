/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITFILES_H
#define PMCTL_CLIENT_MONITFILES_H
/*
 * monitfiles - the log files the daemon has told of, for when it is away, and which of them are
 * wanted. Owned by struct monitlogs.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/select.h"
#include "client/logsrc.h"
#include "ui/model.h"

struct monitfile {
	char *app, *path;
	int slot;
	enum log_stream stream;
	enum logstamp stamp;
};

struct monitfiles {
	struct monitfile *v;
	size_t n;
};

/* Selectors with commas between them. */
struct monitwant {
	struct selector *v;
	size_t n;
};

void monitfiles_finish(struct monitfiles *f);
/* An answer of `logs`: of all there are, or of some, which takes the place of what was known of
 * these instances. */
void monitfiles_take(struct monitfiles *f, const json_t *answer, bool all);
/* The wanted ones, at most `most`; out is emptied before. */
void monitfiles_choose(const struct monitfiles *f, const struct monitwant *w, const struct model *m,
		       size_t most, struct monitfiles *out);
bool monitfiles_equal(const struct monitfiles *a, const struct monitfiles *b);
/* Whether a file of this instance is there. */
bool monitfiles_has(const struct monitfiles *f, const char *app, int slot);

void monitwant_parse(struct monitwant *w, const char *text);
void monitwant_finish(struct monitwant *w);
/* slot -1 = the app as a whole. */
bool monitwant_has(const struct monitwant *w, const struct model *m, const char *app, int slot);

#endif
