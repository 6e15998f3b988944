/* SPDX-License-Identifier: MIT */
/* inimerge - one app list of several files. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "config/ini.h"
#include "config/names.h"
#include "config/problems.h"

bool ini_has_profile(const struct ini_file *f, const char *profile)
{
	for (size_t i = 0; i < f->nprofiles; i++) {
		if (strcmp(f->profiles[i], profile) == 0) {
			return true;
		}
	}
	return false;
}

void ini_add_profile(struct ini_file *f, const char *profile)
{
	if (!ini_has_profile(f, profile)) {
		f->profiles = xreallocarray(f->profiles, f->nprofiles + 1, sizeof(char *));
		f->profiles[f->nprofiles++] = xstrdup(profile);
	}
}

static int by_def_name(const void *a, const void *b)
{
	return strcmp((*(struct app_def *const *)a)->name, (*(struct app_def *const *)b)->name);
}

static void complain_twin(const struct app_def *first, const struct app_def *twin,
			  struct err_list *errs)
{
	struct problems p = {0};
	char shown[SHOWN_MAX];
	char *section = xasprintf("app:%s", twin->name);
	struct place at = {.file = twin->file, .section = section, .line = twin->line};
	problems_add(&p, &at, "given twice, first in %s:%u",
		     names_shown(first->file ? first->file : "-", shown), first->line);
	problems_report(&p, errs);
	free(section);
}

/* Two files of one list that contradict each other. */
static void complain_metrics(const struct ini_file *into, const struct ini_file *from,
			     struct err_list *errs)
{
	struct problems p = {0};
	char shown[SHOWN_MAX];
	struct place at = {.file = from->file,
			   .section = "pmctl",
			   .key = "metrics",
			   .line = from->metrics_line};
	const char *first = into->metrics_file ? into->metrics_file : into->file;
	problems_add(&p, &at, "given twice, first in %s:%u", names_shown(first, shown),
		     into->metrics_line);
	problems_report(&p, errs);
}

static bool merge_metrics(struct ini_file *into, struct ini_file *from, struct err_list *errs)
{
	if (!from->metrics_line) {
		return true;
	}
	if (into->metrics_line) {
		complain_metrics(into, from, errs);
		return false;
	}
	into->metrics = from->metrics;
	into->metrics_file = from->file;
	into->metrics_line = from->metrics_line;
	from->metrics = from->file = NULL;
	return true;
}

bool ini_merge(struct ini_file *into, struct ini_file *from, struct err_list *errs)
{
	bool ok = merge_metrics(into, from, errs);
	/* Sort the new ones only: a file of many includes is merged one after the other. */
	struct app_def **sorted = xcalloc(from->napps, sizeof(*sorted));
	if (from->napps) {
		memcpy(sorted, from->apps, from->napps * sizeof(*sorted));
		qsort(sorted, from->napps, sizeof(*sorted), by_def_name);
	}
	for (size_t i = 0; from->napps && i < into->napps; i++) {
		struct app_def **twin =
			bsearch(&into->apps[i], sorted, from->napps, sizeof(*sorted), by_def_name);
		if (twin) {
			complain_twin(into->apps[i], *twin, errs);
			ok = false;
		}
	}
	free(sorted);
	into->apps = xreallocarray(into->apps, into->napps + from->napps, sizeof(*into->apps));
	for (size_t i = 0; i < from->napps; i++) {
		into->apps[into->napps++] = from->apps[i];
	}
	from->napps = 0;
	for (size_t i = 0; i < from->nprofiles; i++) {
		ini_add_profile(into, from->profiles[i]);
	}
	ini_file_finish(from);
	return ok;
}

void ini_file_finish(struct ini_file *f)
{
	for (size_t i = 0; i < f->napps; i++) {
		def_free(f->apps[i]);
	}
	for (size_t i = 0; i < f->nincludes; i++) {
		free(f->includes[i].glob);
	}
	for (size_t i = 0; i < f->nprofiles; i++) {
		free(f->profiles[i]);
	}
	free(f->profiles);
	free(f->apps);
	free(f->includes);
	free(f->file);
	free(f->project);
	free(f->metrics);
	free(f->metrics_file);
	*f = (struct ini_file){0};
}
