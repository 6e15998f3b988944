/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_EXPORTER_H
#define PMCTL_DAEMON_EXPORTER_H
/*
 * exporter - where metrics are served: who wants it at which address, and the listening sockets.
 *
 * A claim is what one app list says ([pmctl] metrics); claims are part of the state file. There is
 * one socket for each address that is claimed, held by the keeper as "http.ID" meanwhile. One that
 * cannot be opened is tried again, and `daemon status` and an event say why; nothing else suffers.
 */
#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/list.h"
#include "daemon/httpd.h"
#include "proto/jw.h"

struct asker;
struct daemon;

struct endpoint {
	struct list node; /* exporter.endpoints */
	struct exporter *exporter;
	char *address; /* "unix:/PATH", "127.0.0.1:9100", "[::1]:9100" */
	unsigned id;
	int fd; /* -1 = it does not listen */
	dev_t dev;
	ino_t ino;	 /* of its path; 0 = it has none */
	char error[300]; /* why it does not; "" = it does, or was not tried yet */
	int error_code;	 /* the errno of that; 0 = it is none of the system's */
	ev_io accept_io;
};

struct exporter {
	struct daemon *daemon;
	struct list claims, endpoints;
	unsigned next_id;
	ev_timer retry; /* while one does not listen */
	ev_timer pause; /* no descriptor is free: accept again a little later */
	struct httpd httpd;
};

void exporter_init(struct exporter *e, struct daemon *d);
/* remove = the daemon ends: socket files go, too. */
void exporter_finish(struct exporter *e, bool remove);

/* An app list was read: it wants them at this address, which is valid; NULL = it does not. True if
 * it said something else before. */
bool exporter_claim(struct exporter *e, const char *file, const char *project, const char *address,
		    const struct asker *by);
/* The last app of a project is deleted: so is what its list wanted. True if it wanted anything. */
bool exporter_forget(struct exporter *e, const char *project);
/* Open what is claimed and is not open, close what is not claimed. */
void exporter_sync(struct exporter *e);
/* Make a socket file anew if somebody removed it. */
void exporter_check(struct exporter *e);

/* Claims, for the state file; NULL = there are none. Then back. */
json_t *exporter_write(const struct exporter *e);
void exporter_read(struct exporter *e, const json_t *saved);
/* A socket the keeper had; fd is taken. False if nobody wants it any more. exporter_sync() next. */
bool exporter_restore(struct exporter *e, const char *held_name, int fd);
/* Leave a duplicate of each with the keeper (a new one). */
void exporter_deposit(struct exporter *e);

/* An array: {"address":...,"error":null|...}. */
void exporter_status(const struct exporter *e, struct jw *w);

#endif
