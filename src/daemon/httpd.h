/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_HTTPD_H
#define PMCTL_DAEMON_HTTPD_H
/*
 * httpd - answers HTTP requests for metrics, on our event loop, with libmicrohttpd.
 *
 * GET and HEAD of /metrics, and a hint at /. One request a connection. Clients are bounded in
 * number, in the size of a request and in time as a whole, so one that sends byte by byte or does
 * not read is cut off; what all answers under way need of memory is bounded, too. The text is made
 * a few times a second at most, however many ask, as long as nothing happens.
 */
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "proto/openmetrics.h"

struct daemon;
struct MHD_Daemon;
struct MHD_Response;
struct mhd;

struct httpd {
	struct daemon *daemon;
	const struct mhd *lib;
	struct MHD_Daemon *mhd; /* NULL = does not run */
	ev_io io;
	ev_timer due;	/* libmicrohttpd has something to do */
	ev_timer sweep; /* while there are connections */
	struct list conns;
	unsigned nconns;
	bool crowded; /* somebody could not be let in */
	struct {
		struct MHD_Response *response; /* NULL = none */
		int64_t made_mono_ms;
		uint64_t event; /* the last one then */
	} last[OM_FORMATS];
	size_t bytes; /* of all texts that are still being sent, and the last ones */
	void (*on_room)(void *ctx);
	void *ctx;
};

/* on_room is called when there may be room again after httpd_has_room() has said no. */
void httpd_init(struct httpd *h, struct daemon *d, void (*on_room)(void *ctx), void *ctx);
/* Make ready to serve. Fine if it is. False: it cannot be, in this build or on this system. */
bool httpd_start(struct httpd *h, struct err *err);
/* Cuts off whoever is there. */
void httpd_stop(struct httpd *h);
/* Whether one more can be let in now; else on_room() will be called. */
bool httpd_has_room(struct httpd *h);
/* Serve this connection. Owns fd. */
void httpd_add(struct httpd *h, int fd);

#endif
