/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_METHODS_H
#define PMCTL_DAEMON_METHODS_H
/*
 * methods - the one table of RPC methods. A row has the name, what it takes and what it does;
 * the generic step checks the request against the row before the handler runs. pmctl-protocol(7)
 * is written from it. To add a method, add a row here and a handler in the file of its family.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/err.h"
#include "proto/jw.h"
#include "proto/params.h"
#include "proto/rpc.h"

struct conn;
struct daemon;

/* A request on its way. A handler writes its result with `w`, or gives the answer to an operation
 * (then it returns true and has set `later`), or fails with err and hint. */
struct call {
	struct daemon *daemon;
	struct conn *conn;
	const json_t *id;
	const json_t *params;
	struct jw *w;
	bool later;
	struct err err;
	char hint[600]; /* "" = none */
};

struct method {
	const char *name;
	bool (*handler)(struct call *call);
	const struct rpc_param *params;
	size_t nparams;
	bool changes; /* refused while the daemon ends */
	const char *doc;
};

extern const struct method methods[];
extern const size_t methods_count;

/* The METHODS section of pmctl-protocol(7). */
void methods_print(FILE *f);
/* Carry out one message. False if it is not JSON-RPC at all: the connection is not worth keeping.
 */
bool methods_dispatch(struct conn *c, const char *line, size_t len);

/* The `sel` parameter as an array of strings. The caller frees the array, not the strings. */
const char **call_selectors(const struct call *call, size_t *n);
/* As apps_select() for the `sel` parameter; sets err and the hint. */
struct inst;
bool call_select(struct call *call, void (*fn)(void *ctx, struct inst *in), void *ctx);

/* The handlers, by family. */
bool method_ping(struct call *call); /* methods_daemon.c */
bool method_status(struct call *call);
bool method_save(struct call *call);
bool method_metrics(struct call *call);
bool method_daemon_stop(struct call *call);
bool method_daemon_upgrade(struct call *call);
bool method_list(struct call *call); /* methods_list.c */
bool method_show(struct call *call);
bool method_env(struct call *call);
bool method_watch(struct call *call);	/* viewers.c */
bool method_history(struct call *call); /* methods_history.c */
bool method_start(struct call *call);	/* methods_apps.c */
bool method_stop(struct call *call);
bool method_restart(struct call *call);
bool method_reload(struct call *call);
bool method_delete(struct call *call);
bool method_scale(struct call *call);
bool method_reset(struct call *call);
bool method_signal(struct call *call);
bool method_wait(struct call *call);
bool method_send(struct call *call);
bool method_stage(struct call *call); /* methods_apply.c */
bool method_plan(struct call *call);
bool method_apply(struct call *call);
bool method_lists(struct call *call);
bool method_revisions(struct call *call); /* methods_revisions.c */
bool method_rollback(struct call *call);
bool method_cancel(struct call *call); /* opcancel.c */
bool method_ports(struct call *call);  /* methods_ports.c */
bool method_logs(struct call *call);   /* methods_logs.c */
bool method_flush(struct call *call);
bool method_rotate(struct call *call);
bool method_events(struct call *call);
bool method_why(struct call *call);

#endif
