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
	char *project;
	struct app_def **apps; /* in file order */
	size_t napps;
	/* The globs of `include`, absolute. The caller finds and reads the files, parses each by
	 * itself (its [defaults] hold for its own apps only) and merges them all. */
	struct ini_include {
		char *glob;
		unsigned line;
	} * includes;
	size_t nincludes;
};

/*
 * Parse and validate one app list. `file` is its absolute path ("-" for standard input), used in
 * messages and kept in the definitions; `dir` is what relative paths resolve against; `project`
 * is the default project name. False if anything is wrong; errs says why, and *out has what could
 * be read all the same, so that more can be checked in one go. The caller finishes *out.
 */
bool ini_parse_apps(struct ini_file *out, const char *text, size_t len, const char *file,
		    const char *dir, const char *project, struct err_list *errs);

/*
 * Append the apps of *from to *into; *from is finished. False if a name is in both, with an error
 * for each that names both places.
 */
bool ini_merge(struct ini_file *into, struct ini_file *from, struct err_list *errs);
void ini_file_finish(struct ini_file *f);

#endif
