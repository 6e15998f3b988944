/* SPDX-License-Identifier: MIT */
/* Bytes from a client and from the daemon: lines, requests, parameters, definitions, replies. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "proto/defjson.h"
#include "proto/lines.h"
#include "proto/params.h"
#include "proto/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rpc_param table[] = {
	{.name = "sel", .type = RPC_STRS},  {.name = "n", .type = RPC_INT, .min = 1, .max = 1000},
	{.name = "wait", .type = RPC_BOOL}, {.name = "app", .type = RPC_STR},
	{.name = "apps", .type = RPC_DEFS}, {.name = "message", .type = RPC_ANY},
};

static void definitions(const json_t *apps)
{
	for (size_t i = 0; i < json_array_size(apps); i++) {
		struct err err;
		struct app_def *d = defjson_read(json_array_get(apps, i), &err);
		if (!d) {
			continue;
		}
		json_t *v = defjson_write(d, &err);
		struct app_def *again = defjson_read(v, &err);
		if (!again || again->nset != d->nset) {
			abort();
		}
		def_free(again);
		json_decref(v);
		def_free(d);
	}
}

static void request(const char *line, size_t len)
{
	struct rpc_request req;
	struct err err = {0};
	struct buf out = {0};
	enum rpc_code code = rpc_parse_request(line, len, &req, &err);
	if (code != RPC_OK) {
		rpc_write_error_code(&out, req.id, code, &err, NULL);
	} else if (rpc_params_check(req.params, table, ARRAY_LEN(table), &err)) {
		definitions(json_object_get(req.params, "apps"));
		rpc_write_request(&out, 1, req.method, req.params);
	} else {
		rpc_write_error(&out, req.id, &err, err.msg);
	}
	/* What we write is always one line that reads as JSON. */
	if (memchr(out.data, '\n', out.len) != out.data + out.len - 1) {
		abort();
	}
	json_t *v = json_loadb(out.data, out.len, 0, NULL);
	if (!v) {
		abort();
	}
	json_decref(v);
	buf_finish(&out);
	rpc_request_finish(&req);
}

static void reply(const char *line, size_t len)
{
	struct rpc_reply r;
	struct err err;
	rpc_parse_reply(line, len, &r, &err);
	rpc_reply_finish(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l;
	lines_init(&l, 4096);
	for (size_t at = 0; at < size;) {
		size_t n = size - at < 97 ? size - at : 97;
		char *line;
		size_t len;
		lines_feed(&l, (const char *)data + at, n);
		while (lines_next(&l, &line, &len)) {
			request(line, len);
			reply(line, len);
		}
		at += n;
	}
	lines_finish(&l);
	return 0;
}
