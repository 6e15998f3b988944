/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_PARAMS_H
#define PMCTL_PROTO_PARAMS_H
/*
 * params - the typed parameter table of a method, and the one place that checks requests by it.
 *
 * After rpc_params_check() a handler may take every parameter as what its row says, so the getters
 * below need no error branch.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum rpc_type {
	RPC_STR,
	RPC_STRS, /* array of at most LIMIT_SELECTORS strings */
	RPC_INT,
	RPC_BOOL,
	RPC_DEFS, /* array of at most LIMIT_APPS objects, see proto/defjson.h */
	RPC_ANY
};

struct rpc_param {
	const char *name;
	enum rpc_type type;
	bool required;
	int64_t min, max; /* RPC_INT; both 0 = anything from 0 on */
};

/* Refuse unknown names, wrong types, numbers out of range and missing parameters, by name. */
bool rpc_params_check(const json_t *params, const struct rpc_param *table, size_t n,
		      struct err *err);

/* What a checked parameter holds, or the value for an absent one. Borrowed. */
const char *rpc_param_str(const json_t *params, const char *name);
int64_t rpc_param_int(const json_t *params, const char *name, int64_t absent);
bool rpc_param_bool(const json_t *params, const char *name, bool absent);

#endif
