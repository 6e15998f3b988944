/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_WORKDIR_H
#define PMCTL_CLIENT_WORKDIR_H
/*
 * workdir - where we stand, as the user sees it.
 *
 * `cd current` through a link must name the link and not what it leads to today, or an app list
 * would be another one after each deploy. So $PWD is taken where it is right.
 */
#include "common/err.h"

/* The current directory, absolute. Caller frees; NULL with an error. */
char *workdir_get(struct err *err);
/* `path` made absolute. Links are kept, but a path with .. in it is resolved. Caller frees. */
char *workdir_absolute(const char *path, struct err *err);
/* The last part of a directory as the name of a project, or "default". Caller frees. */
char *workdir_project(const char *dir);

#endif
