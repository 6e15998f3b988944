/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_INI_H
#define PMCTL_CONFIG_INI_H
/*
 * ini - the text of an app list to definitions. The only user of inih.
 *
 * Pure: the caller reads the file. Every error is collected, each as
 * FILE:LINE: [SECTION] KEY: REASON.
 */
#include "common/err.h"
#include "config/def.h"

struct ini_file {
	char *file; /* where it was read from, absolute; "-" = standard input */
	char *project;
	unsigned project_line; /* where it says so; 0 = it is the folder's name */
	char *metrics;	    /* where they are served, as filekeys_metrics() gives it; NULL = not */
	char *metrics_file; /* which of the included files said so; NULL = this one */
	unsigned metrics_line; /* 0 = nobody said anything */
	struct app_def **apps; /* in file order */
	size_t napps;
	/* The globs of `include`, absolute. The caller finds and reads the files, parses each by
	 * itself (its [defaults] hold for its own apps only) and merges them all. */
	struct ini_include {
		char *glob;
		unsigned line;
	} * includes;
	size_t nincludes;
	char **profiles; /* that have a section, each once */
	size_t nprofiles;
};

/* The text of one file, all borrowed. */
struct ini_source {
	const char *text;
	size_t len;
	const char *file;    /* its absolute path ("-" = standard input), kept in the definitions */
	const char *dir;     /* absolute: what relative paths resolve against */
	const char *project; /* the default project name */
	const char *profile; /* laid over the base; NULL = the base alone */
};

/*
 * Parse and validate one app list. [defaults], [defaults@PROFILE], [app:NAME] and
 * [app:NAME@PROFILE] are laid over each other in this order; the sections of other profiles are
 * checked, too. False if anything is wrong; errs says why, and *out has what could be read all the
 * same, so that more can be checked in one go. The caller finishes *out.
 */
bool ini_parse_apps(struct ini_file *out, const struct ini_source *src, struct err_list *errs);

/*
 * Append the apps of *from to *into; *from is finished. False if a name is in both, with an error
 * for each that names both places; or if both say where metrics are served.
 */
bool ini_merge(struct ini_file *into, struct ini_file *from, struct err_list *errs);
/* Whether any section is of this profile. */
bool ini_has_profile(const struct ini_file *f, const char *profile);
/* Note that one is. */
void ini_add_profile(struct ini_file *f, const char *profile);
void ini_file_finish(struct ini_file *f);

#endif
