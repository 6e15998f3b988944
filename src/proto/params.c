/* SPDX-License-Identifier: MIT */
#include "proto/params.h"

#include <inttypes.h>
#include <string.h>

#include "common/buf.h"
#include "common/limits.h"

static const char *const type_names[] = {
	[RPC_STR] = "a string",	      [RPC_STRS] = "an array of strings", [RPC_INT] = "an integer",
	[RPC_BOOL] = "true or false", [RPC_DEFS] = "an array of objects", [RPC_ANY] = "anything",
};

static bool is_array_of(const json_t *v, json_type type)
{
	if (!json_is_array(v)) {
		return false;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (json_typeof(json_array_get(v, i)) != type) {
			return false;
		}
	}
	return true;
}

static bool has_type(const json_t *v, enum rpc_type type)
{
	switch (type) {
	case RPC_STR:
		return json_is_string(v);
	case RPC_STRS:
		return is_array_of(v, JSON_STRING);
	case RPC_INT:
		return json_is_integer(v);
	case RPC_BOOL:
		return json_is_boolean(v);
	case RPC_DEFS:
		return is_array_of(v, JSON_OBJECT);
	case RPC_ANY:
		return true;
	}
	return false;
}

static bool check_range(const json_t *v, const struct rpc_param *p, struct err *err)
{
	int64_t n = json_integer_value(v);
	int64_t max = p->min || p->max ? p->max : INT64_MAX;
	if (n >= p->min && n <= max) {
		return true;
	}
	if (max == INT64_MAX) {
		return err_set(err, ERR_USAGE, "parameter \"%s\" must be at least %" PRId64,
			       p->name, p->min);
	}
	return err_set(err, ERR_USAGE, "parameter \"%s\" must be from %" PRId64 " to %" PRId64,
		       p->name, p->min, max);
}

static bool check_count(const json_t *v, const struct rpc_param *p, struct err *err)
{
	size_t max = p->type == RPC_STRS ? LIMIT_SELECTORS : LIMIT_APPS;
	if (json_array_size(v) <= max) {
		return true;
	}
	return err_set(err, ERR_LIMIT, "parameter \"%s\" has %zu entries; at most %zu are allowed",
		       p->name, json_array_size(v), max);
}

static bool check_value(const json_t *v, const struct rpc_param *p, struct err *err)
{
	if (!has_type(v, p->type)) {
		return err_set(err, ERR_USAGE, "parameter \"%s\" must be %s", p->name,
			       type_names[p->type]);
	}
	if (p->type == RPC_INT) {
		return check_range(v, p, err);
	}
	if (p->type == RPC_STRS || p->type == RPC_DEFS) {
		return check_count(v, p, err);
	}
	return true;
}

static const struct rpc_param *find(const struct rpc_param *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].name, name) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

static bool unknown_name(const struct rpc_param *table, size_t n, const char *name, struct err *err)
{
	struct buf known = {0};
	for (size_t i = 0; i < n; i++) {
		buf_addf(&known, "%s%s", i ? ", " : "", table[i].name);
	}
	struct buf shown = {0};
	buf_add_escaped(&shown, name, strnlen(name, 60), 0);
	err_set(err, ERR_USAGE, "unknown parameter \"%s\"%s%s", shown.len ? shown.data : "",
		n ? "; known: " : "; the method takes none", n ? known.data : "");
	buf_finish(&shown);
	buf_finish(&known);
	return false;
}

bool rpc_params_check(const json_t *params, const struct rpc_param *table, size_t n,
		      struct err *err)
{
	if (params && !json_is_object(params)) {
		return err_set(err, ERR_USAGE, "params must be an object");
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)params, name, value)
	{
		const struct rpc_param *p = find(table, n, name);
		if (!p) {
			return unknown_name(table, n, name, err);
		}
		if (!check_value(value, p, err)) {
			return false;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (table[i].required && !json_object_get(params, table[i].name)) {
			return err_set(err, ERR_USAGE, "parameter \"%s\" is missing",
				       table[i].name);
		}
	}
	return true;
}

const char *rpc_param_str(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

int64_t rpc_param_int(const json_t *params, const char *name, int64_t absent)
{
	const json_t *v = json_object_get(params, name);
	return v ? json_integer_value(v) : absent;
}

bool rpc_param_bool(const json_t *params, const char *name, bool absent)
{
	const json_t *v = json_object_get(params, name);
	return v ? json_is_true(v) : absent;
}
