/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_PROBE_H
#define PMCTL_CONFIG_PROBE_H
/*
 * probe - what `ready` and `health` may ask: http://HOST[:PORT][/PATH], tcp://HOST:PORT, unix:PATH,
 * exec:COMMAND; {port} and {slot} in it are replaced for each instance.
 *
 * HOST is an address or localhost: a probe must not wait for a name server.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/words.h"
#include "config/conf.h"

/* Who is asked, for one instance. Zeroed = nobody. */
struct probe_target {
	enum probe_kind kind;
	char *host; /* literal address; http, tcp */
	uint16_t port;
	char *path;	   /* http: with query; unix: absolute */
	struct words argv; /* exec */
	char *text;	   /* for messages: "GET /healthz", "tcp 127.0.0.1:3000" */
};

/* Fill the target from the text of a probe (struct probe.arg); port <= 0: {port} is not known. The
 * caller finishes *out in every case. */
bool probe_expand(const struct probe *p, int port, int slot, struct probe_target *out,
		  struct err *err);
void probe_target_finish(struct probe_target *t);

/* What {port} means for a slot: increment_var's variable, else env.PORT, else the first TCP port of
 * `listen =`. 0 = none. */
int probe_port(const struct app_conf *c, int slot);

/* Whether the target is one of the sockets of `listen =`, which all instances share. */
bool probe_is_shared(const struct app_conf *c, const struct probe_target *t);

#endif
