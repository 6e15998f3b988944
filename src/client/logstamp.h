/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGSTAMP_H
#define PMCTL_CLIENT_LOGSTAMP_H
/*
 * logstamp - log_format = time and json: what the daemon wrote around a line taken off again. Pure.
 *
 * Only what has exactly the form the daemon writes, and only in files of which the daemon says that
 * it writes so: an app's own stamps stay.
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"

struct logline;

enum logstamp { LOGSTAMP_NONE, LOGSTAMP_TIME, LOGSTAMP_JSON };

/* Of a file of the `logs` method. */
enum logstamp logstamp_of(const json_t *file);

/* The line as the app wrote it, and when it was written; of JSON the pid too. `room` may hold it
 * afterwards. False, and nothing changed: it is not ours. */
bool logstamp_take(enum logstamp form, struct logline *l, struct buf *room);

#endif
