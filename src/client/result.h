/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_RESULT_H
#define PMCTL_CLIENT_RESULT_H
/*
 * result - carry out a changing request: show progress while it lasts, then what came of it.
 *
 * Progress goes to stderr: on a terminal a block that is rewritten in place (block.h), else one
 * line a change for a reload. Ctrl-C during a reload or restart asks the daemon to stop after the
 * instance under way; a second one leaves at once. What came of it: outcome.h.
 */
#include <jansson.h>

struct client;

/* Add wait to params (taken over), send, wait, print. `verb` is for messages: "start". Returns the
 * exit status. The daemon is connected already, or is connected to here. */
int result_of(struct client *c, const char *method, const char *verb, json_t *params);

#endif
