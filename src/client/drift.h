/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_DRIFT_H
#define PMCTL_CLIENT_DRIFT_H
/*
 * drift - whether app lists were changed since they were applied.
 *
 * A list is read again, and its plan asked for, only if one of its files is younger than what was
 * applied; else it costs one stat(2) a file.
 */
#include <jansson.h>

struct client;

/* Each app in the result of list or show that a list defines gets "drift": an array of
 * {"key", "old", "new"}, empty if there is none, and a word in its note. A list that is not valid
 * any more, or is gone, is told in the notes of its apps. Nothing is reported, c is connected. */
void drift_look(struct client *c, json_t *result);

#endif
