/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_CLIENT_H
#define PMCTL_CLIENT_CLIENT_H
/*
 * client - what every command shares: its options, the two output streams, the connection.
 *
 * One per program, on the stack of main(). A command returns its exit status. Failures are reported
 * here and nowhere else: in words on stderr, or as one JSON object with --json.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/args.h"
#include "client/color.h"
#include "client/conn.h"
#include "common/buf.h"
#include "common/err.h"
#include "sys/paths.h"

struct command;

struct client {
	char **argv;		   /* of main() */
	const struct command *cmd; /* NULL before it is known */
	struct args args;
	bool json;
	bool wait;	    /* false with --no-wait */
	int64_t timeout_ms; /* -1 = not given */
	const char *config; /* -c; NULL = not given */
	bool out_tty, err_tty;
	bool out_color, err_color;
	bool utf8;	    /* marks beyond ASCII may be used */
	struct paths paths; /* after client_paths() */
	struct conn conn;
	struct buf out;		/* stdout, written by client_flush() */
	struct rpc_reply reply; /* of `list`; the end of the program frees it, which is faster */
};

/* Streams, locale and colour. The options must be parsed already. */
void client_init(struct client *c, enum color_when when);
void client_finish(struct client *c);
/* Columns of the terminal; 0 = no limit. */
size_t client_width(const struct client *c);

/* Write what is in c->out. False (reported) if it could not be written. */
bool client_flush(struct client *c);
/* Whether whoever read what we print has gone (| head, a lost ssh): what has nothing to print would
 * not notice. */
bool client_is_unread(void);

/* Report a failure; hint may be NULL. Returns its exit status. */
int client_fail(const struct client *c, const struct err *err, const char *hint);
int client_usage(const struct client *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A line on stderr that is no failure. Not with --json. */
void client_note(const struct client *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Resolve c->paths once. */
bool client_paths(struct client *c, struct err *err);
/* Connect if need be. */
bool client_connect(struct client *c, struct err *err);

/* For reading commands: connect, ask, and try again if the daemon went away meanwhile. On
 * failure it is reported and *status set. params is taken over. Finish reply in every case. */
bool client_ask(struct client *c, const char *method, json_t *params, struct rpc_reply *reply,
		int *status);
/* A result as it came, with "v":1 in front if it has none, for --json. */
void client_print_json(struct client *c, json_t *result);

/* {"sel":[...]} of the operands from the `from`th on; {} if there are none. */
json_t *client_selectors(const struct client *c, size_t from);
/* json_object_set_new that aborts without memory. */
void client_set(json_t *o, const char *key, json_t *value);

/* Escaped so that it cannot control a terminal. */
void client_add_text(struct buf *out, const char *s);

/* Members of JSON objects with a value for absent or null ones. */
const char *member_text(const json_t *o, const char *key, const char *absent);
/* The first object of an array whose member is this text; NULL = none. */
const json_t *member_find(const json_t *array, const char *key, const char *text);
int64_t member_int(const json_t *o, const char *key, int64_t absent);

#endif
