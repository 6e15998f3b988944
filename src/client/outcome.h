/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_OUTCOME_H
#define PMCTL_CLIENT_OUTCOME_H
/*
 * outcome - what came of a changing request, in words.
 *
 * What succeeded goes to stdout, a line an app; what failed to stderr with its reason, its last log
 * lines and what to do next.
 */
#include <jansson.h>
#include <stdbool.h>

struct client;

/* result: {"ok", "results", "cancelled", "apps"}, see pmctl-protocol(7). */
void outcome_print(struct client *c, const char *method, const json_t *result);

/* The successor failed, the old process serves on. */
bool outcome_is_kept(const json_t *target);
/* Its app has the definition of before again. */
bool outcome_is_reverted(const json_t *target);
/* Cancelled before its turn, or after an earlier one failed. */
bool outcome_is_left(const json_t *target);

#endif
