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
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct client;
struct deploy;

/* Each app in the result of list or show that a list defines gets "drift": an array of
 * {"key", "old", "new"}, empty if there is none, and a word in its note. A list that is not valid
 * any more, or is gone, is told in the notes of its apps. Nothing is reported, c is connected. */
void drift_look(struct client *c, json_t *result);

/* The parts of it, for who has to wait for answers in another way. A list is what `lists` tells of
 * it: {"file", "profile", "read_ms", "files"}. */

/* Whether one of its files is younger than what was applied. */
bool drift_is_younger(const json_t *list);
/* A number that is another one as soon as one of its files is. Never 0. */
uint64_t drift_stamp(const json_t *list);
#define DRIFT_WHY 160 /* bytes of a text why a list cannot be compared */
/* Read it as it is now into *out, which is finished by the caller in every case. False, and why it
 * cannot be compared: "is gone", "is not valid: pmctl check"; else that is "". */
bool drift_read(const json_t *list, struct deploy *out, char why[DRIFT_WHY]);
/* What is different in an app, which is an item of a plan: "file changed: nice, env.A ...", or "not
 * in its file any more". Adds nothing if that is nothing. */
void drift_text(const json_t *item, struct buf *out);

#endif
