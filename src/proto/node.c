/* SPDX-License-Identifier: MIT */
#include "proto/node.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

static const char prefix[] = "{\"cmd\":\"NODE_";
static const struct span json_null_span = {"null", 4};

bool node_is_internal(const char *line, size_t len)
{
	size_t n = sizeof(prefix) - 1;
	/* "NODE_" alone is still an application's: node asks for a longer name. */
	return len > n && memcmp(line, prefix, n) == 0 && line[n] != '"';
}

struct members {
	struct span cmd, act, address_type;
};

static void read_int(struct span value, int *out)
{
	int64_t n;
	if (span_int(value, &n) && n >= INT_MIN && n <= INT_MAX) {
		*out = (int)n;
	}
}

static void read_member(struct node_msg *m, struct members *mem, struct span key, struct span value)
{
	if (span_is(key, "cmd")) {
		mem->cmd = value;
	} else if (span_is(key, "act")) {
		mem->act = value;
	} else if (span_is(key, "addressType")) {
		mem->address_type = value;
	} else if (span_is(key, "data")) {
		m->data = value;
	} else if (span_is(key, "msg")) {
		m->msg = value;
	} else if (span_is(key, "address")) {
		buf_reset(&m->address);
		span_text(value, &m->address);
	} else if (span_is(key, "key")) {
		buf_reset(&m->key);
		span_text(value, &m->key);
	} else if (span_is(key, "port")) {
		read_int(value, &m->port);
	} else if (span_is(key, "fd")) {
		read_int(value, &m->fd);
	} else if (span_is(key, "flags")) {
		read_int(value, &m->flags);
	} else if (span_is(key, "backlog")) {
		read_int(value, &m->backlog);
	} else if (span_is(key, "readableAll")) {
		m->readable_all = span_is(value, "true");
	} else if (span_is(key, "writableAll")) {
		m->writable_all = span_is(value, "true");
	} else if (span_is(key, "index")) {
		span_int(value, &m->index);
	} else if (span_is(key, "seq")) {
		span_int(value, &m->seq);
	} else if (span_is(key, "ack")) {
		span_int(value, &m->ack);
	} else if (span_is(key, "accepted")) {
		m->accepted = span_is(value, "true");
	}
}

static enum node_addr address_type(struct span v)
{
	static const struct {
		const char *text;
		enum node_addr type;
	} table[] = {
		{"null", NODE_ADDR_NONE},     {"4", NODE_ADDR_TCP4},
		{"6", NODE_ADDR_TCP6},	      {"-1", NODE_ADDR_PIPE},
		{"\"udp4\"", NODE_ADDR_UDP4}, {"\"udp6\"", NODE_ADDR_UDP6},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (v.p && span_is(v, table[i].text)) {
			return table[i].type;
		}
	}
	return v.p ? NODE_ADDR_BAD : NODE_ADDR_NONE;
}

static enum node_type act_type(const struct node_msg *m, struct span act)
{
	static const struct {
		const char *text;
		enum node_type type;
	} table[] = {
		{"\"online\"", NODE_ONLINE},
		{"\"queryServer\"", NODE_QUERY},
		{"\"listening\"", NODE_LISTENING},
		{"\"close\"", NODE_CLOSE},
		{"\"exitedAfterDisconnect\"", NODE_INTENDED},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (act.p && span_is(act, table[i].text)) {
			return table[i].type;
		}
	}
	return !act.p && m->ack >= 0 ? NODE_REPLY : NODE_OTHER;
}

static enum node_type message_type(const struct node_msg *m, const struct members *mem)
{
	if (!mem->cmd.p) {
		return NODE_OTHER;
	}
	if (span_is(mem->cmd, "\"NODE_CLUSTER\"")) {
		return act_type(m, mem->act);
	}
	if (span_is(mem->cmd, "\"NODE_HANDLE\"")) {
		return NODE_HANDLE;
	}
	if (span_is(mem->cmd, "\"NODE_HANDLE_ACK\"")) {
		return NODE_HANDLE_ACK;
	}
	return span_is(mem->cmd, "\"NODE_HANDLE_NACK\"") ? NODE_HANDLE_NACK : NODE_OTHER;
}

bool node_parse(struct node_msg *m, const char *line, size_t len)
{
	struct members mem = {0};
	struct jscan scan;
	struct span key;
	struct span value;
	*m = (struct node_msg){.port = -1, .fd = -1, .seq = -1, .ack = -1, .data = json_null_span};
	int more = jscan_begin(&scan, line, len) ? 1 : -1;
	while (more > 0) {
		more = jscan_next(&scan, &key, &value);
		if (more > 0) {
			read_member(m, &mem, key, value);
		}
	}
	m->type = message_type(m, &mem);
	m->address_type = address_type(mem.address_type);
	return more == 0;
}

void node_msg_finish(struct node_msg *m)
{
	buf_finish(&m->address);
	buf_finish(&m->key);
	*m = (struct node_msg){0};
}

bool node_is_text(const char *line, size_t len, const char *text)
{
	size_t n = strlen(text);
	return len == n + 2 && line[0] == '"' && line[len - 1] == '"' &&
	       memcmp(line + 1, text, n) == 0;
}

bool node_message_ok(const char *json, size_t len)
{
	/* The scanner knows objects only, so make the value a member of one. */
	struct buf b = {0};
	struct jscan scan;
	struct span key;
	struct span value;
	buf_adds(&b, "{\"m\":");
	buf_add(&b, json, len);
	buf_addc(&b, '}');
	bool ok = !memchr(json, '\n', len) && !node_is_internal(json, len) &&
		  jscan_begin(&scan, b.data, b.len) && jscan_next(&scan, &key, &value) == 1 &&
		  jscan_next(&scan, &key, &value) == 0;
	buf_finish(&b);
	return ok;
}

void node_make_key(const struct node_msg *q, struct buf *out)
{
	static const char *const names[] = {
		[NODE_ADDR_NONE] = "null", [NODE_ADDR_TCP4] = "4",    [NODE_ADDR_TCP6] = "6",
		[NODE_ADDR_PIPE] = "-1",   [NODE_ADDR_UDP4] = "udp4", [NODE_ADDR_UDP6] = "udp6",
		[NODE_ADDR_BAD] = "bad",
	};
	if (q->address.data) {
		buf_add(out, q->address.data, q->address.len);
	} else {
		buf_adds(out, "null");
	}
	buf_addf(out, ":%d:%s:%d", q->port, names[q->address_type], q->fd);
	if (q->port == 0) {
		buf_addf(out, ":%" PRId64, q->index);
	}
}

void node_describe(const struct node_msg *m, char *out, size_t cap)
{
	bool udp = m->address_type == NODE_ADDR_UDP4 || m->address_type == NODE_ADDR_UDP6;
	const char *host = m->address.data ? m->address.data : "[::]";
	if (m->address_type == NODE_ADDR_PIPE) {
		snprintf(out, cap, "unix:%.120s", host);
	} else {
		snprintf(out, cap, "%s:%.100s:%d", udp ? "udp" : "tcp", host, m->port);
	}
}

static void add_key(struct buf *out, const char *key)
{
	buf_adds(out, ",\"key\":");
	buf_add_json(out, key, strlen(key));
}

/* ,"key":...,"ack":1,"data":...,"seq":7 */
static void add_reply(struct buf *out, const struct node_reply *r)
{
	add_key(out, r->key);
	buf_addf(out, ",\"ack\":%" PRId64 ",\"data\":", r->ack);
	buf_add(out, r->data.p, r->data.len);
	buf_addf(out, ",\"seq\":%" PRId64, r->seq);
}

void node_write_shared(struct buf *out, const struct node_reply *r, enum node_kind kind)
{
	static const char *const kinds[] = {
		[NODE_TCP] = "tcp", [NODE_PIPE] = "pipe", [NODE_UDP] = "udp"};
	/* socketType and nativeKind are for deno; node takes the kind from the descriptor. */
	buf_addf(out,
		 "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s.Native\",\"socketType\":1,"
		 "\"nativeKind\":\"%s\",\"msg\":{\"cmd\":\"NODE_CLUSTER\",\"errno\":0",
		 kind == NODE_UDP ? "dgram" : "net", kinds[kind]);
	add_reply(out, r);
	buf_adds(out, "}}\n");
}

void node_write_error(struct buf *out, const struct node_reply *r, int error)
{
	buf_addf(out, "{\"cmd\":\"NODE_CLUSTER\",\"errno\":%d", error);
	add_reply(out, r);
	buf_adds(out, "}\n");
}

void node_write_round_robin(struct buf *out, const struct node_reply *r, const char *address,
			    bool v6, int port)
{
	/* Not 0: node would then compare the port of a handle it does not have. */
	buf_adds(out, "{\"cmd\":\"NODE_CLUSTER\",\"errno\":null");
	add_reply(out, r);
	if (address) {
		buf_adds(out, ",\"sockname\":{\"address\":");
		buf_add_json(out, address, strlen(address));
		buf_addf(out, ",\"family\":\"IPv%d\",\"port\":%d}", v6 ? 6 : 4, port);
	}
	buf_adds(out, "}\n");
}

void node_write_newconn(struct buf *out, const char *key, int64_t seq)
{
	buf_adds(out,
		 "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"socketType\":0,"
		 "\"nativeKind\":\"tcp\",\"msg\":{\"cmd\":\"NODE_CLUSTER\",\"act\":\"newconn\"");
	add_key(out, key);
	buf_addf(out, ",\"seq\":%" PRId64 "}}\n", seq);
}

void node_write_ack(struct buf *out, int64_t ack, int64_t seq)
{
	buf_addf(out, "{\"cmd\":\"NODE_CLUSTER\",\"ack\":%" PRId64 ",\"seq\":%" PRId64 "}\n", ack,
		 seq);
}

void node_write_disconnect(struct buf *out, int64_t seq)
{
	buf_addf(out, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\",\"seq\":%" PRId64 "}\n",
		 seq);
}

void node_write_handle_ack(struct buf *out)
{
	buf_adds(out, "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
}
