/* SPDX-License-Identifier: MIT */
#include "client/client.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "client/commands.h"
#include "client/interrupt.h"
#include "common/clock.h"
#include "common/mem.h"
#include "sys/fileio.h"

#define ASK_MS	  10000 /* for a reading command without --timeout */
#define ASK_TRIES 5	/* where supervisors are killed one after the other */

/* Reading the whole locale costs more than the rest of a short command. */
static bool has_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0 &&
	       wcwidth(L'●') == 1 && wcwidth(L'▲') == 1 && wcwidth(L'✖') == 1;
}

void client_init(struct client *c, enum color_when when)
{
	struct color_env env = {
		.no_color = getenv("NO_COLOR"),
		.clicolor_force = getenv("CLICOLOR_FORCE"),
		.force_color = getenv("FORCE_COLOR"),
		.clicolor = getenv("CLICOLOR"),
		.term = getenv("TERM"),
	};
	c->out_tty = isatty(STDOUT_FILENO);
	c->err_tty = isatty(STDERR_FILENO);
	c->out_color = color_decide(when, &env, c->out_tty);
	c->err_color = color_decide(when, &env, c->err_tty);
	c->utf8 = (c->out_tty || c->err_tty) && has_utf8();
}

void client_finish(struct client *c)
{
	conn_close(&c->conn);
	paths_finish(&c->paths);
	args_finish(&c->args);
	buf_finish(&c->out);
}

size_t client_width(const struct client *c)
{
	struct winsize ws;
	if (!c->out_tty) {
		return 0;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0) {
		return ws.ws_col;
	}
	const char *columns = getenv("COLUMNS");
	long n = columns ? strtol(columns, NULL, 10) : 0;
	return n > 0 && n < 10000 ? (size_t)n : 0;
}

bool client_flush(struct client *c)
{
	bool ok = file_write_all(STDOUT_FILENO, c->out.data, c->out.len);
	buf_reset(&c->out);
	if (!ok) {
		struct err err;
		err_sys(&err, "write the output");
		client_fail(c, &err, NULL);
	}
	return ok;
}

bool client_is_unread(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP));
}

static void write_stderr(const struct buf *b)
{
	/* There is nowhere to report a failure of this to. */
	(void)!file_write_all(STDERR_FILENO, b->data, b->len);
}

/* What a signal ended is no success. */
static int status_of(const struct err *err)
{
	int sig = err->code == ERR_NONE ? interrupt_pending() : 0;
	return sig ? 128 + sig : err_info(err->code)->exit_status;
}

static void fail_json(const struct err *err, const char *hint)
{
	const char *name = err->code == ERR_NONE ? "interrupted" : err_info(err->code)->name;
	struct buf out = {0};
	buf_adds(&out, "{\"v\":1,\"error\":{\"code\":");
	buf_add_json(&out, name, strlen(name));
	buf_addf(&out, ",\"exit\":%d,\"message\":", status_of(err));
	buf_add_json(&out, err->msg, strlen(err->msg));
	buf_adds(&out, ",\"hint\":");
	if (hint) {
		buf_add_json(&out, hint, strlen(hint));
	} else {
		buf_adds(&out, "null");
	}
	buf_adds(&out, "}}\n");
	write_stderr(&out);
	buf_finish(&out);
}

/* Each line of a hint is indented. */
static void add_hint(struct buf *out, const char *hint)
{
	for (const char *s = hint; s && *s;) {
		size_t len = strcspn(s, "\n");
		buf_adds(out, "  ");
		buf_add_escaped(out, s, len, 0);
		buf_addc(out, '\n');
		s += len + (s[len] == '\n');
	}
}

int client_fail(const struct client *c, const struct err *err, const char *hint)
{
	if (err->code == ERR_NO_DAEMON && !hint && strncmp(err->msg, "pmctld is not", 13) == 0) {
		hint = "start it, and take over whatever still runs: pmctl daemon start";
	}
	if (c->json) {
		fail_json(err, hint);
		return status_of(err);
	}
	struct buf out = {0};
	buf_adds(&out, "pmctl: ");
	buf_add_escaped(&out, err->msg, strlen(err->msg), 0);
	if (err->code == ERR_NO_TARGET && c->cmd && (c->cmd->flags & CMD_CHANGES) &&
	    !strstr(err->msg, "othing was done")) {
		buf_adds(&out, out.data[out.len - 1] == '?' ? " Nothing was done."
							    : "; nothing was done");
	}
	buf_addc(&out, '\n');
	add_hint(&out, hint);
	write_stderr(&out);
	buf_finish(&out);
	return status_of(err);
}

int client_usage(const struct client *c, const char *fmt, ...)
{
	struct err err = {.code = ERR_USAGE};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	va_end(ap);
	return client_fail(c, &err, NULL);
}

void client_note(const struct client *c, const char *fmt, ...)
{
	struct buf out = {0};
	va_list ap;
	if (c->json) {
		return;
	}
	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);
	va_end(ap);
	buf_add_escaped(&out, text, strlen(text), 0);
	buf_addc(&out, '\n');
	write_stderr(&out);
	buf_finish(&out);
	free(text);
}

bool client_paths(struct client *c, struct err *err)
{
	return c->paths.socket || paths_resolve(&c->paths, err);
}

bool client_connect(struct client *c, struct err *err)
{
	struct conn before = c->conn;
	if (before.open) {
		return true;
	}
	bool ok = client_paths(c, err) && conn_open(&c->conn, &c->paths, err);
	memcpy(c->conn.version, before.version, sizeof(before.version));
	return ok;
}

static bool ask(struct client *c, const char *method, json_t *params, struct rpc_reply *reply,
		struct err *err)
{
	int64_t ms = c->timeout_ms >= 0 ? c->timeout_ms : ASK_MS;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ms};
	if (!client_connect(c, err)) {
		json_decref(params);
		return false;
	}
	if (conn_call(&c->conn, method, params, &w, reply, err)) {
		return true;
	}
	if (err->code == ERR_DEADLINE && c->timeout_ms < 0) {
		err_set(err, ERR_NO_DAEMON,
			"pmctld does not answer (connected to %s, nothing for %d s)",
			c->paths.socket, ASK_MS / 1000);
	}
	return false;
}

/* Asked for again after the daemon was killed, these might be done twice. */
static bool may_repeat(const char *method)
{
	return strcmp(method, "signal") != 0 && strcmp(method, "rotate") != 0;
}

bool client_ask(struct client *c, const char *method, json_t *params, struct rpc_reply *reply,
		int *status)
{
	struct err err;
	*reply = (struct rpc_reply){.id = -1};
	int tries = may_repeat(method) ? ASK_TRIES : 1;
	bool ok = false;
	for (int i = 0; i < tries && !ok; i++) {
		rpc_reply_finish(reply);
		ok = ask(c, method, json_incref(params), reply, &err);
		if (!ok && (err.code != ERR_NO_DAEMON || !c->conn.open || !c->conn.lost)) {
			break;
		}
		if (!ok) {
			conn_close(&c->conn);
		}
	}
	json_decref(params);
	if (!ok) {
		*status = interrupt_pending() ? 128 + interrupt_pending()
					      : client_fail(c, &err, reply->hint);
	}
	return ok;
}

static int append(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

void client_print_json(struct client *c, json_t *result)
{
	if (json_is_object(result) && !json_object_get(result, "v")) {
		json_t *o = json_pack("{s:i}", "v", 1);
		if (!o || json_object_update(o, result) != 0 ||
		    json_object_update(result, o) != 0) {
			abort();
		}
		json_dump_callback(o, append, &c->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
		json_decref(o);
	} else {
		json_dump_callback(result, append, &c->out,
				   JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	}
	buf_addc(&c->out, '\n');
}

void client_set(json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(o, key, value) != 0) {
		abort();
	}
}

json_t *client_selectors(const struct client *c, size_t from)
{
	json_t *o = json_object();
	json_t *sel = json_array();
	if (!o || !sel) {
		abort();
	}
	for (size_t i = from; i < c->args.n; i++) {
		json_t *s = json_string(c->args.operand[i]);
		/* Not UTF-8: it cannot be the name of anything. */
		json_array_append_new(sel, s ? s : json_string("?"));
	}
	if (c->args.n > from) {
		client_set(o, "sel", sel);
	} else {
		json_decref(sel);
	}
	return o;
}

void client_add_text(struct buf *out, const char *s)
{
	buf_add_escaped(out, s, strlen(s), 0);
}

const char *member_text(const json_t *o, const char *key, const char *absent)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : absent;
}

const json_t *member_find(const json_t *array, const char *key, const char *text)
{
	size_t i;
	const json_t *o;
	json_array_foreach(array, i, o)
	{
		if (strcmp(member_text(o, key, ""), text) == 0) {
			return o;
		}
	}
	return NULL;
}

int64_t member_int(const json_t *o, const char *key, int64_t absent)
{
	const json_t *v = json_object_get(o, key);
	return json_is_integer(v) ? json_integer_value(v) : absent;
}
