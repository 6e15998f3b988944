/* SPDX-License-Identifier: MIT */
#include "client/logfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/mem.h"

#define MAX_FILES 1001 /* the file itself and what log_keep allows */

static struct logseg *open_number(struct logfiles *f, size_t number)
{
	char *path = number ? xasprintf("%s.%zu", f->path, number) : xstrdup(f->path);
	struct logseg *g = logseg_open(path);
	if (!g && errno != ENOENT && errno != ENOTDIR) {
		f->why = errno;
	}
	free(path);
	return g;
}

/* Just after a rotation, with nothing written since, it is PATH.1. */
static struct logseg *open_newest(struct logfiles *f)
{
	struct logseg *g = open_number(f, 0);
	return g ? g : open_number(f, 1);
}

void logfiles_init(struct logfiles *f, const char *path)
{
	*f = (struct logfiles){.path = xstrdup(path)};
	struct logseg *g = open_newest(f);
	if (g) {
		f->seg = xcalloc(1, sizeof(struct logseg *));
		f->seg[0] = g;
		f->n = 1;
	}
	f->all_open = !g;
}

void logfiles_gap_text(const struct logfiles *f, char out[LOGFILES_GAP])
{
	static const char what[] = "rotated away unread";
	if (f->lost) {
		snprintf(out, LOGFILES_GAP, "%llu byte%s missing here: %s",
			 (unsigned long long)f->lost, f->lost == 1 ? " is" : "s are", what);
	} else {
		snprintf(out, LOGFILES_GAP, "lines may be missing here: %s", what);
	}
}

void logfiles_gap_told(struct logfiles *f)
{
	f->gap = false;
	f->lost = 0;
}

void logfiles_keep(struct logfiles *f, size_t n)
{
	while (f->n > n) {
		logseg_free(f->seg[--f->n]);
	}
}

void logfiles_finish(struct logfiles *f)
{
	logfiles_keep(f, 0);
	free(f->seg);
	free(f->path);
	*f = (struct logfiles){0};
}

static bool began_before(struct logseg *a, struct logseg *b)
{
	return logseg_time(a, 0) <= logseg_time(b, 0);
}

static void add_older(struct logfiles *f, struct logseg *g)
{
	f->seg = xreallocarray(f->seg, f->n + 1, sizeof(struct logseg *));
	f->seg[f->n++] = g;
}

bool logfiles_older(struct logfiles *f)
{
	struct logseg *ours = f->n ? f->seg[f->n - 1] : NULL, *found = NULL;
	bool hole = false;
	for (size_t number = f->n; ours && !f->all_open && number < MAX_FILES; number++) {
		struct logseg *g = open_number(f, number);
		if (!g && hole) {
			break;
		}
		hole |= !g;
		if (g && logseg_same(g, ours)) {
			logseg_free(found); /* it was younger */
			found = NULL;
		} else if (g && !found && began_before(g, ours)) {
			add_older(f, g);
			return true;
		} else if (g && !found) {
			found = g; /* younger, unless the clock was set back */
			continue;
		}
		logseg_free(g);
	}
	f->all_open = !found;
	if (found) {
		add_older(f, found);
	}
	return found != NULL;
}

bool logfiles_is_replaced(const struct logfiles *f)
{
	struct stat st;
	return stat(f->path, &st) == 0 &&
	       (f->n == 0 || f->seg[0]->dev != st.st_dev || f->seg[0]->ino != st.st_ino);
}

/* Ours is gone, and `next` is the oldest of those that came after it. */
static void look_for_gap(struct logfiles *f, struct logseg *next, size_t n)
{
	uint64_t ours, before;
	bool known = logindex_before(&f->seg[0]->index, &ours) &&
		     logindex_before(&next->index, &before) && before > 0;
	ours = known ? ours + logseg_size(f->seg[0]) : 0;
	known = known && before >= ours;     /* else it was emptied by somebody */
	if (known ? before > ours : n > 1) { /* with log_keep = 0 ours always is gone */
		f->gap = true;
		f->lost += known ? before - ours : 0;
	}
}

/* The files that came after ours, newest first. Returns their number. */
static size_t open_newer(struct logfiles *f, struct logseg *newest, struct logseg *newer[MAX_FILES])
{
	struct logseg *ours = f->n ? f->seg[0] : NULL;
	bool hole = false;
	size_t n = 1;
	newer[0] = newest;
	for (size_t number = 1; ours && number < MAX_FILES; number++) {
		struct logseg *g = open_number(f, number);
		if (!g && !hole) {
			hole = true;
		} else if (!g || logseg_same(g, ours) || logseg_time(g, 0) < logseg_time(ours, 0)) {
			if (!g) {
				look_for_gap(f, newer[n - 1], n);
			}
			logseg_free(g);
			break;
		} else if (logseg_same(g, newer[n - 1]) || !began_before(g, newer[n - 1])) {
			logseg_free(g); /* younger: the next look finds it */
		} else {
			newer[n++] = g;
		}
	}
	return n;
}

size_t logfiles_newer(struct logfiles *f)
{
	struct logseg *newer[MAX_FILES];
	bool first = f->n == 0; /* there was none at all, so all that are there are new */
	struct logseg *ours = first ? NULL : f->seg[0];
	struct logseg *g = first ? open_number(f, 0) : open_newest(f);
	/* Where ours was removed, and nothing written since, PATH.1 is an old one. */
	if (!g || (ours && (logseg_same(g, ours) || logseg_time(g, 0) < logseg_time(ours, 0)))) {
		logseg_free(g);
		return 0;
	}
	size_t n = open_newer(f, g, newer);
	f->seg = xreallocarray(f->seg, f->n + n, sizeof(struct logseg *));
	memmove(f->seg + n, f->seg, f->n * sizeof(struct logseg *));
	memcpy(f->seg, newer, n * sizeof(struct logseg *));
	f->n += n;
	f->all_open = !first;
	while (first && logfiles_older(f)) {
	}
	return first ? f->n : n;
}
