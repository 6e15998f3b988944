/* SPDX-License-Identifier: MIT */
#include "proto/rpc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/jw.h"

#define MAX_ID	   256 /* bytes of a string id: it is sent back */
#define MAX_METHOD 64

/* Recursive parsers and destructors must never see how deep a stranger can nest. */
static bool depth_ok(const char *s, size_t len)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (s[i] == '\\') {
				i++;
			} else if (s[i] == '"') {
				in_string = false;
			}
		} else if (s[i] == '"') {
			in_string = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > RPC_DEPTH) {
				return false;
			}
		} else if ((s[i] == '}' || s[i] == ']') && depth) {
			depth--;
		}
	}
	return true;
}

static json_t *parse(const char *line, size_t len, size_t flags, struct err *err)
{
	if (!depth_ok(line, len)) {
		err_set(err, ERR_USAGE, "nested deeper than %d", RPC_DEPTH);
		return NULL;
	}
	json_error_t at;
	json_t *root = json_loadb(line, len, flags | JSON_DECODE_ANY, &at);
	if (!root) {
		struct buf text = {0};
		buf_add_escaped(&text, at.text, strlen(at.text), 0);
		err_set(err, ERR_USAGE, "not JSON: %s (byte %d)", text.data ? text.data : "",
			at.position);
		buf_finish(&text);
	}
	return root;
}

static bool id_ok(const json_t *id)
{
	return json_is_null(id) || json_is_integer(id) ||
	       (json_is_string(id) && json_string_length(id) <= MAX_ID);
}

static bool version_ok(const json_t *root)
{
	const char *version = json_string_value(json_object_get(root, "jsonrpc"));
	return version && strcmp(version, "2.0") == 0;
}

static bool read_request(struct rpc_request *req, struct err *err)
{
	json_t *root = req->root;
	if (!json_is_object(root)) {
		return err_set(err, ERR_USAGE, "a request must be an object%s",
			       json_is_array(root) ? "; batches are not supported" : "");
	}
	json_t *id = json_object_get(root, "id");
	if (id && !id_ok(id)) {
		return err_set(err, ERR_USAGE, "id must be an integer or a short string");
	}
	req->id = id;
	if (!version_ok(root)) {
		return err_set(err, ERR_USAGE, "jsonrpc must be \"2.0\"");
	}
	const json_t *method = json_object_get(root, "method");
	if (!json_is_string(method) || json_string_length(method) > MAX_METHOD) {
		return err_set(err, ERR_USAGE, "method must be a string");
	}
	const char *name;
	json_t *value;
	json_object_foreach(root, name, value)
	{
		if (strcmp(name, "jsonrpc") != 0 && strcmp(name, "id") != 0 &&
		    strcmp(name, "method") != 0 && strcmp(name, "params") != 0) {
			return err_set(err, ERR_USAGE, "a request has no such member as \"%.40s\"",
				       name);
		}
	}
	json_t *params = json_object_get(root, "params");
	if (params && !json_is_object(params)) {
		return err_set(err, ERR_USAGE, "params must be an object");
	}
	if (!params) {
		params = json_object();
		if (!params || json_object_set_new(root, "params", params) != 0) {
			abort();
		}
	}
	req->method = json_string_value(method);
	req->params = params;
	return true;
}

enum rpc_code rpc_parse_request(const char *line, size_t len, struct rpc_request *req,
				struct err *err)
{
	*req = (struct rpc_request){0};
	req->root = parse(line, len, JSON_REJECT_DUPLICATES, err);
	if (!req->root) {
		return RPC_PARSE_ERROR;
	}
	return read_request(req, err) ? RPC_OK : RPC_BAD_REQUEST;
}

void rpc_request_finish(struct rpc_request *req)
{
	json_decref(req->root);
	*req = (struct rpc_request){0};
}

static int append(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

static void add_value(struct buf *out, const json_t *v)
{
	if (!v) {
		buf_adds(out, "null");
		return;
	}
	if (json_dump_callback(v, append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0) {
		abort();
	}
}

static void add_head(struct buf *out, const json_t *id)
{
	buf_adds(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	add_value(out, id);
}

void rpc_write_result_begin(struct buf *out, const json_t *id)
{
	add_head(out, id);
	buf_adds(out, ",\"result\":");
}

void rpc_write_result_end(struct buf *out)
{
	buf_adds(out, "}\n");
}

static void write_error(struct buf *out, const json_t *id, int code, const struct err *err,
			const char *hint)
{
	const struct err_info *info = err_info(err->code);
	struct jw w;
	add_head(out, id);
	buf_adds(out, ",\"error\":");
	jw_init(&w, out);
	jw_obj(&w);
	jw_kint(&w, "code", code);
	jw_kstr(&w, "message", err->msg);
	jw_key(&w, "data");
	jw_obj(&w);
	jw_kstr(&w, "code", info->name);
	jw_kint(&w, "exit", info->exit_status);
	if (hint) {
		jw_kstr(&w, "hint", hint);
	}
	jw_end(&w);
	jw_end(&w);
	buf_adds(out, "}\n");
}

void rpc_write_error(struct buf *out, const json_t *id, const struct err *err, const char *hint)
{
	write_error(out, id, err_info(err->code)->rpc_code, err, hint);
}

void rpc_write_error_code(struct buf *out, const json_t *id, enum rpc_code code,
			  const struct err *err, const char *hint)
{
	write_error(out, id, code, err, hint);
}

void rpc_write_notification_begin(struct buf *out, const char *method)
{
	buf_adds(out, "{\"jsonrpc\":\"2.0\",\"method\":");
	buf_add_json(out, method, strlen(method));
	buf_adds(out, ",\"params\":");
}

void rpc_write_notification_end(struct buf *out)
{
	buf_adds(out, "}\n");
}

static void add_params(struct buf *out, const json_t *params)
{
	if (params) {
		add_value(out, params);
	} else {
		buf_adds(out, "{}");
	}
	buf_adds(out, "}\n");
}

void rpc_write_notification(struct buf *out, const char *method, const json_t *params)
{
	rpc_write_notification_begin(out, method);
	add_params(out, params);
}

void rpc_write_request(struct buf *out, int64_t id, const char *method, const json_t *params)
{
	buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%" PRId64 ",\"method\":", id);
	buf_add_json(out, method, strlen(method));
	buf_adds(out, ",\"params\":");
	add_params(out, params);
}

static bool read_error(const json_t *e, struct rpc_reply *r, struct err *err)
{
	const char *message = json_string_value(json_object_get(e, "message"));
	const json_t *code = json_object_get(e, "code");
	if (!message || !json_is_integer(code)) {
		return err_set(err, ERR_NO_DAEMON,
			       "the daemon sent an error without code or message");
	}
	const json_t *data = json_object_get(e, "data");
	const char *name = json_string_value(json_object_get(data, "code"));
	json_int_t number = json_integer_value(code);
	r->kind = RPC_ERROR;
	r->rpc_code = number < INT32_MIN || number > INT32_MAX ? 0 : (int)number;
	r->hint = json_string_value(json_object_get(data, "hint"));
	err_set(&r->error, name ? err_by_name(name) : ERR_FAILED, "%s", message);
	if (r->error.code == ERR_NONE) {
		r->error.code = ERR_FAILED;
	}
	return true;
}

static bool read_reply(struct rpc_reply *r, struct err *err)
{
	if (!json_is_object(r->root) || !version_ok(r->root)) {
		return err_set(err, ERR_NO_DAEMON, "the daemon's answer is not JSON-RPC 2.0");
	}
	const json_t *id = json_object_get(r->root, "id");
	json_t *method = json_object_get(r->root, "method");
	if (!id && json_is_string(method)) {
		r->kind = RPC_NOTIFICATION;
		r->method = json_string_value(method);
		r->params = json_object_get(r->root, "params");
		return true;
	}
	if (!json_is_integer(id) && !json_is_null(id)) {
		return err_set(err, ERR_NO_DAEMON, "the daemon's answer has no usable id");
	}
	r->id = json_is_integer(id) ? json_integer_value(id) : -1;
	json_t *error = json_object_get(r->root, "error");
	if (error) {
		return read_error(error, r, err);
	}
	r->result = json_object_get(r->root, "result");
	if (!r->result) {
		return err_set(err, ERR_NO_DAEMON,
			       "the daemon's answer has neither result nor error");
	}
	r->kind = RPC_RESULT;
	return true;
}

bool rpc_parse_reply(const char *line, size_t len, struct rpc_reply *reply, struct err *err)
{
	*reply = (struct rpc_reply){.id = -1};
	reply->root = parse(line, len, 0, err);
	if (!reply->root) {
		if (err) {
			err->code = ERR_NO_DAEMON;
		}
		return err_wrap(err, "the daemon's answer is unreadable");
	}
	return read_reply(reply, err);
}

void rpc_reply_finish(struct rpc_reply *reply)
{
	json_decref(reply->root);
	*reply = (struct rpc_reply){.id = -1};
}
