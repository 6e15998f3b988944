/* SPDX-License-Identifier: MIT */
/* logs: lines of many streams in the order of time; -f goes on, over an end of the daemon too. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/logset.h"
#include "client/logtime.h"
#include "client/logview.h"
#include "common/clock.h"

#define POLL_MS	   100 /* between looks at the files while following */
#define ASK_MS	   5000
#define FLUSH_SIZE (64 * 1024)
#define MANY	   32 /* streams, from which on each gets smaller blocks */

struct logs {
	struct client *c;
	struct logset set;
	struct logview view;
	regex_t regex;
	uint64_t lines; /* -n */
	bool lines_given;
	int64_t since_ns; /* 0 = not given */
	bool follow, want_out, want_err, show_events;
	json_t *events; /* between the lines of history; NULL = not shown */
	size_t next_event;
	int64_t seq; /* of the last event seen */
};

/* --- options --- */

static int parse_options(struct logs *l)
{
	struct client *c = l->c;
	const char *lines = args_value(&c->args, "lines", NULL);
	const char *since = args_value(&c->args, "since", NULL);
	const char *grep = args_value(&c->args, "grep", NULL);
	bool raw = args_has(&c->args, "raw");
	char *end;
	int64_t since_ms = 0;
	l->lines = lines ? strtoull(lines, &end, 10) : 20;
	if (lines && (*end || end == lines || lines[0] == '-')) {
		return client_usage(c, "--lines: \"%.40s\" is not a number", lines);
	}
	if (since && !logtime_parse(since, clock_real_ms(), &since_ms)) {
		return client_usage(
			c,
			"--since: \"%.60s\" is no time; use 10m, 2h, 14:00, yesterday or "
			"2026-11-22T14:03:01Z",
			since);
	}
	if (c->json && raw) {
		return client_usage(c, "--json and --raw exclude each other");
	}
	if (grep) {
		char why[200];
		int r = regcomp(&l->regex, grep, REG_EXTENDED | REG_NOSUB);
		if (r != 0) {
			regerror(r, &l->regex, why, sizeof(why));
			return client_usage(c, "--grep: \"%.100s\": %s", grep, why);
		}
		l->set.grep = &l->regex;
	}
	l->since_ns = since_ms * 1000000;
	l->lines_given = lines != NULL;
	l->follow = args_has(&c->args, "follow");
	l->want_out = args_has(&c->args, "out") || !args_has(&c->args, "err");
	l->want_err = args_has(&c->args, "err") || !args_has(&c->args, "out");
	l->view.form = c->json ? LOGVIEW_JSON : raw ? LOGVIEW_RAW : LOGVIEW_NAMED;
	l->view.color = c->out_color;
	l->view.plain =
		!c->out_color && (c->out_tty || args_has(&c->args, "color") || getenv("NO_COLOR"));
	l->view.utf8 = c->utf8;
	l->show_events = c->out_tty && l->view.form == LOGVIEW_NAMED && !grep;
	l->set.complete = l->follow;
	l->set.want_pid = c->json;
	return 0;
}

/* --- streams --- */

static void add_files(struct logs *l, const json_t *files)
{
	size_t i;
	json_t *f;
	if (json_array_size(files) > MANY) {
		struct rlimit r;
		l->set.block_size = 8192;
		if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
			r.rlim_cur = r.rlim_max;
			setrlimit(RLIMIT_NOFILE, &r); /* each stream holds a file open */
		}
	}
	json_array_foreach(files, i, f)
	{
		const char *stream = member_text(f, "stream", "both");
		const char *path = member_text(f, "path", NULL);
		enum log_stream s = strcmp(stream, "out") == 0	 ? LOG_OUT
				    : strcmp(stream, "err") == 0 ? LOG_ERR
								 : LOG_BOTH;
		if (path && (s == LOG_BOTH || (s == LOG_OUT ? l->want_out : l->want_err))) {
			logset_add(&l->set, member_text(f, "app", "?"),
				   (int)member_int(f, "slot", -1), s, path);
		}
	}
	size_t width = logset_name_width(&l->set);
	l->view.pad = width > l->view.pad ? width : l->view.pad;
}

static bool ask_files(struct logs *l, int *status)
{
	struct rpc_reply reply;
	bool ok = client_ask(l->c, "logs", client_selectors(l->c, 0), &reply, status);
	if (ok) {
		add_files(l, json_object_get(reply.result, "files"));
	}
	rpc_reply_finish(&reply);
	return ok;
}

static json_t *events_params(const struct logs *l)
{
	json_t *params = client_selectors(l->c, 0);
	if (l->seq > 0) {
		client_set(params, "after_seq", json_integer(l->seq));
	} else {
		client_set(params, "n", json_integer(l->show_events ? 1000 : 0));
	}
	client_set(params, "follow", json_boolean(l->follow));
	return params;
}

static void take_history(struct logs *l, const struct rpc_reply *reply)
{
	json_decref(l->events);
	l->events = l->show_events ? json_incref(json_object_get(reply->result, "events")) : NULL;
	l->next_event = 0;
	l->seq = member_int(reply->result, "last_seq", l->seq);
}

/* What happened stands between the lines, for people at a terminal. */
static bool ask_events(struct logs *l, int *status)
{
	struct rpc_reply reply;
	if (!l->show_events && !l->follow) {
		return true;
	}
	bool ok = client_ask(l->c, "events", events_params(l), &reply, status);
	if (ok) {
		take_history(l, &reply);
	}
	rpc_reply_finish(&reply);
	return ok;
}

/* --- printing --- */

/* Print the events that came before this time; skip them if `print` is not set. */
static void pass_events(struct logs *l, int64_t t_ns, bool print)
{
	for (; l->next_event < json_array_size(l->events); l->next_event++) {
		const json_t *event = json_array_get(l->events, l->next_event);
		char stamp[CLOCK_RFC3339];
		clock_format_utc(t_ns / 1000000, stamp);
		if (strcmp(member_text(event, "t", ""), stamp) > 0) {
			break;
		}
		if (print) {
			logview_event(&l->view, event, &l->c->out);
		}
	}
}

/* All there is now, but nothing younger than until_ns. False if the output is broken. */
static bool print_lines(struct logs *l, int64_t until_ns, uint64_t max)
{
	const struct logset_entry *e;
	while (max > 0 && !interrupt_pending() && (e = logset_next(&l->set))) {
		if (e->next.t_ns < l->since_ns) {
			continue;
		}
		if (e->next.t_ns > until_ns) {
			break;
		}
		pass_events(l, e->next.t_ns, l->view.seq > 0);
		logview_line(&l->view, &e->src, e->hue, &e->next, &l->c->out);
		max--;
		if (l->c->out.len >= FLUSH_SIZE && !client_flush(l->c)) {
			return false;
		}
	}
	return true;
}

static bool print_history(struct logs *l)
{
	bool all = l->since_ns && !l->lines_given;
	if (all) {
		logset_start_since(&l->set, l->since_ns);
	} else {
		logset_start_last(&l->set, l->lines, l->since_ns);
	}
	/* An app that writes faster than we print must not keep us here. */
	int64_t until = l->follow ? INT64_MAX : clock_real_ms() * 1000000 + 999999;
	if (!print_lines(l, until, all || l->follow ? UINT64_MAX : l->lines)) {
		return false;
	}
	pass_events(l, INT64_MAX, l->view.seq > 0 || l->follow);
	return client_flush(l->c);
}

/* --- following --- */

/* Files of instances that were not there before. */
static void look_for_new(struct logs *l, const json_t *event)
{
	struct rpc_reply reply;
	struct err err;
	const char *app = member_text(event, "app", "");
	int slot = (int)member_int(event, "slot", -1);
	if (!app[0] || slot < 0 || logset_has(&l->set, app, slot)) {
		return;
	}
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ASK_MS};
	if (conn_call(&l->c->conn, "logs", client_selectors(l->c, 0), &w, &reply, &err)) {
		add_files(l, json_object_get(reply.result, "files"));
	}
	rpc_reply_finish(&reply);
}

/* Events that came over the connection, for one poll interval. False if the daemon went away. */
static bool take_events(struct logs *l)
{
	struct rpc_reply n;
	struct err err;
	int64_t until = clock_mono_ms() + POLL_MS;
	for (int64_t left = POLL_MS; left > 0; left = until - clock_mono_ms()) {
		int got = conn_next(&l->c->conn, (int)left, &n, &err);
		if (got > 0 && n.kind == RPC_NOTIFICATION && strcmp(n.method, "event") == 0) {
			l->seq = member_int(n.params, "seq", l->seq);
			look_for_new(l, n.params);
			if (l->events) {
				json_array_append(l->events, n.params);
			}
		}
		rpc_reply_finish(&n);
		if (got <= 0) {
			return got == 0;
		}
	}
	return true;
}

/* Without a daemon the files are still there, so this is no failure. */
static void reconnect(struct logs *l)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ASK_MS};
	if (client_connect(l->c, &err) &&
	    conn_call(&l->c->conn, "events", events_params(l), &w, &reply, &err)) {
		take_history(l, &reply);
		client_note(l->c, "pmctl: the daemon is back");
	} else {
		conn_close(&l->c->conn);
		usleep(POLL_MS * 1000);
	}
	rpc_reply_finish(&reply);
}

static int follow(struct logs *l)
{
	while (!interrupt_pending()) {
		if (!l->c->conn.open) {
			reconnect(l);
		} else if (!take_events(l)) {
			conn_close(&l->c->conn);
			client_note(l->c, "pmctl: the daemon is away; log files are followed on");
		}
		logset_refresh(&l->set);
		if (!print_lines(l, INT64_MAX, UINT64_MAX)) {
			return 1;
		}
		pass_events(l, INT64_MAX, true);
		if (l->next_event && l->next_event == json_array_size(l->events)) {
			json_array_clear(l->events);
			l->next_event = 0;
		}
		if (!client_flush(l->c)) {
			return 1;
		}
	}
	return 0;
}

static int show(struct logs *l)
{
	int status = 0;
	if (!ask_files(l, &status) || !ask_events(l, &status)) {
		return status;
	}
	if (!print_history(l)) {
		return 1;
	}
	if (l->follow) {
		status = follow(l);
	} else if (l->c->out_tty && l->c->err_tty && !l->lines_given && !l->since_ns &&
		   l->view.form == LOGVIEW_NAMED) {
		client_note(l->c, "(%llu line%s; -f follows)", (unsigned long long)l->view.seq,
			    l->view.seq == 1 ? "" : "s");
	}
	return interrupt_pending() ? 128 + interrupt_pending() : status;
}

int cmd_logs(struct client *c)
{
	struct logs l = {.c = c};
	logset_init(&l.set);
	int status = parse_options(&l);
	if (status == 0) {
		status = show(&l);
	}
	if (l.set.grep) {
		regfree(&l.regex);
	}
	logset_finish(&l.set);
	json_decref(l.events);
	return status;
}
