/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_RPC_H
#define PMCTL_PROTO_RPC_H
/*
 * rpc - JSON-RPC 2.0, one message per line, both ends (pmctl-protocol(7)).
 *
 * Lines come in without their newline, and go out with it. Everything here is strict: duplicate
 * members, deep nesting, batches and positional parameters are refused.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* Numbers of JSON-RPC 2.0 itself, section 5.1; the others come from common/err.c. */
enum rpc_code {
	RPC_OK = 0,
	RPC_PARSE_ERROR = -32700,
	RPC_BAD_REQUEST = -32600,
	RPC_NO_METHOD = -32601
};

#define RPC_DEPTH 64 /* brackets inside each other */

struct rpc_request {
	json_t *root; /* owns all below */
	json_t *id;   /* string, integer or null; NULL = a notification or unknown */
	const char *method;
	json_t *params; /* an object, never NULL after success */
};

/* Parse one line. Returns RPC_OK, or the code to answer with rpc_write_error_code(); req->id is set
 * then too where it could be read. Finish the request in every case. */
enum rpc_code rpc_parse_request(const char *line, size_t len, struct rpc_request *req,
				struct err *err);
void rpc_request_finish(struct rpc_request *req);

/* Around a result that is written in between, for example by jw. id NULL = null. */
void rpc_write_result_begin(struct buf *out, const json_t *id);
void rpc_write_result_end(struct buf *out);
/* The code comes from the table in common/err.c. hint may be NULL. */
void rpc_write_error(struct buf *out, const json_t *id, const struct err *err, const char *hint);
/* As above with a code of JSON-RPC's own. */
void rpc_write_error_code(struct buf *out, const json_t *id, enum rpc_code code,
			  const struct err *err, const char *hint);
/* Around params that are written in between. */
void rpc_write_notification_begin(struct buf *out, const char *method);
void rpc_write_notification_end(struct buf *out);
/* The whole line; params is borrowed, NULL = {}. */
void rpc_write_notification(struct buf *out, const char *method, const json_t *params);
void rpc_write_request(struct buf *out, int64_t id, const char *method, const json_t *params);

enum rpc_kind { RPC_RESULT, RPC_ERROR, RPC_NOTIFICATION };

struct rpc_reply {
	json_t *root; /* owns all below but error */
	enum rpc_kind kind;
	int64_t id;	    /* -1 = null */
	json_t *result;	    /* RPC_RESULT */
	const char *method; /* RPC_NOTIFICATION */
	json_t *params;	    /* RPC_NOTIFICATION; may be NULL */
	struct err error;   /* RPC_ERROR */
	int rpc_code;	    /* RPC_ERROR */
	const char *hint;   /* RPC_ERROR; may be NULL */
};

/* The client's side: what the daemon sent. Finish it also after a failure. */
bool rpc_parse_reply(const char *line, size_t len, struct rpc_reply *reply, struct err *err);
void rpc_reply_finish(struct rpc_reply *reply);

#endif
