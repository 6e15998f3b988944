/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_LOGOPTS_H
#define PMCTL_CLIENT_LOGOPTS_H
/* logopts - the options of logs, read and checked. */
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/logmatch.h"

struct logopts {
	uint64_t lines; /* -n */
	bool lines_given;
	int64_t since_ns, until_ns; /* since the epoch; INT64_MIN and INT64_MAX = not given */
	bool follow, raw, out, err; /* out, err: these streams are wanted */
	bool has_match;
	struct logmatch match;
};

/* The exit status, reported; 0 = they are fine. Zeroed before; finish it in every case. */
int logopts_init(struct logopts *o, const struct client *c);
void logopts_finish(struct logopts *o);

#endif
