/* SPDX-License-Identifier: MIT */
/* logs: lines of many streams in the order of time; -f goes on while the daemon is away, from the
 * files, until its end was asked for. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/away.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/logopts.h"
#include "client/logset.h"
#include "client/logview.h"
#include "common/clock.h"

#define POLL_MS	   100 /* between looks at the files while following */
#define ASK_MS	   5000
#define BACK_MS	   300 /* for the first answer of a supervisor that comes back: lines go on */
#define FLUSH_SIZE (64 * 1024)
#define MANY	   32 /* streams, from which on each gets smaller blocks */

struct logs {
	struct client *c;
	struct logset set;
	struct logview view;
	struct logopts opts;
	bool show_events;
	json_t *events; /* between the lines of history; NULL = not shown */
	size_t next_event;
	int64_t seq; /* of the last event seen */
	struct away away;
};

static bool is_interrupted(void *ctx)
{
	(void)ctx;
	return interrupt_pending();
}

static void prepare(struct logs *l)
{
	struct client *c = l->c;
	struct rlimit r;
	l->view.form = c->json ? LOGVIEW_JSON : l->opts.raw ? LOGVIEW_RAW : LOGVIEW_NAMED;
	l->view.color = c->out_color;
	l->view.plain =
		!c->out_color && (c->out_tty || args_has(&c->args, "color") || getenv("NO_COLOR"));
	l->view.utf8 = c->utf8;
	l->show_events = c->out_tty && l->view.form == LOGVIEW_NAMED && !l->opts.has_match;
	l->set.match = l->opts.has_match ? &l->opts.match : NULL;
	l->set.until_ns = l->opts.until_ns;
	l->set.complete = l->opts.follow;
	l->set.want_pid = c->json;
	l->set.stop = is_interrupted;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r); /* files that rotation moves are held open */
	}
}

/* --- streams --- */

static void add_files(struct logs *l, const json_t *files)
{
	size_t i;
	json_t *f;
	if (json_array_size(files) > MANY) {
		l->set.block_size = 8192;
	}
	json_array_foreach(files, i, f)
	{
		const char *stream = member_text(f, "stream", "both");
		const char *path = member_text(f, "path", NULL);
		enum log_stream s = strcmp(stream, "out") == 0	 ? LOG_OUT
				    : strcmp(stream, "err") == 0 ? LOG_ERR
								 : LOG_BOTH;
		if (path && (s == LOG_BOTH || (s == LOG_OUT ? l->opts.out : l->opts.err))) {
			struct logsrc *src = logset_add(&l->set, member_text(f, "app", "?"),
							(int)member_int(f, "slot", -1), s, path);
			src->stamp = l->opts.raw ? LOGSTAMP_NONE : logstamp_of(f);
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
	client_set(params, "follow", json_boolean(l->opts.follow));
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
	if (!l->show_events && !l->opts.follow) {
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

/* Written after this time; not one of a future that was left again because the clock was set back.
 */
static bool is_younger(int64_t t_ns, int64_t until_ns)
{
	return t_ns > until_ns && t_ns <= clock_real_ms() * 1000000 + 999999;
}

/* All there is now, but nothing younger than until_ns. False if the output is broken. */
static bool print_lines(struct logs *l, int64_t until_ns, uint64_t max)
{
	const struct logset_entry *e;
	while (max > 0 && !interrupt_pending() && (e = logset_next(&l->set))) {
		if (e->next.t_ns < l->opts.since_ns) {
			continue;
		}
		if (is_younger(e->next.t_ns, until_ns)) {
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
	bool all = l->opts.since_ns != INT64_MIN && !l->opts.lines_given;
	if (all) {
		logset_start_since(&l->set, l->opts.since_ns);
	} else {
		logset_start_last(&l->set, l->opts.lines, l->opts.since_ns);
	}
	if (interrupt_pending()) {
		return true;
	}
	/* An app that writes faster than we print must not keep us here. */
	int64_t until = l->opts.follow ? INT64_MAX : clock_real_ms() * 1000000 + 999999;
	if (!print_lines(l, until, all || l->opts.follow ? UINT64_MAX : l->opts.lines)) {
		return false;
	}
	pass_events(l, l->opts.until_ns, l->view.seq > 0 || l->opts.follow);
	return client_flush(l->c);
}

/* --- what cannot be shown --- */

static void tell_missed(const struct logs *l, const struct logsrc *src)
{
	char name[64], text[LOGFILES_GAP];
	logview_name(src->app, src->slot, name, sizeof(name));
	if (l->c->json) {
		char bytes[24] = "null";
		if (src->files.lost) {
			snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)src->files.lost);
		}
		fprintf(stderr,
			"{\"v\":1,\"warning\":{\"code\":\"missed\",\"instance\":\"%s\","
			"\"bytes\":%s}}\n",
			name, bytes);
	} else {
		logfiles_gap_text(&src->files, text);
		fprintf(stderr, "pmctl: %s: %s\n", name, text);
	}
}

/* Of files that rotation removed while nobody took our output. */
static void look_for_gaps(struct logs *l)
{
	for (size_t i = 0; i < l->set.n; i++) {
		struct logsrc *src = &l->set.v[i]->src;
		if (src->files.gap) {
			tell_missed(l, src);
			logfiles_gap_told(&src->files);
		}
	}
}

/* Files that are there and were not read. The exit status. */
static int tell_trouble(struct logs *l)
{
	int status = 0;
	for (size_t i = 0; i < l->set.n; i++) {
		const struct logsrc *src = &l->set.v[i]->src;
		struct err err;
		if (src->damaged) {
			client_note(l->c,
				    "pmctl: a compressed file of %s is damaged: only its beginning "
				    "is shown",
				    src->files.path);
		}
		if (src->files.why) {
			errno = src->files.why;
			if (errno == EINVAL) {
				err_set(&err, ERR_FAILED, "log file %s is not a regular file",
					src->files.path);
			} else {
				err_sys(&err, "read log file %s", src->files.path);
			}
			status = client_fail(l->c, &err, NULL);
		}
	}
	return status;
}

/* --- following --- */

static void take_event(struct logs *l, json_t *event)
{
	l->seq = member_int(event, "seq", l->seq);
	if (l->events) {
		json_array_append(l->events, event);
	}
}

static void on_notification(void *ctx, const struct rpc_reply *n)
{
	if (strcmp(n->method, "event") == 0) {
		take_event(ctx, n->params);
	}
}

/* Files of instances that were not there before. */
static bool ask_more_files(struct logs *l, int64_t within_ms)
{
	struct rpc_reply reply;
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + within_ms,
			      .notify = on_notification,
			      .ctx = l};
	bool ok = conn_call(&l->c->conn, "logs", client_selectors(l->c, 0), &w, &reply, &err);
	if (ok) {
		add_files(l, json_object_get(reply.result, "files"));
	}
	rpc_reply_finish(&reply);
	return ok || err.code == ERR_NO_TARGET;
}

static void look_for_new(struct logs *l, const json_t *event)
{
	const char *app = member_text(event, "app", "");
	int slot = (int)member_int(event, "slot", -1);
	if (!app[0] || slot < 0 || logset_has(&l->set, app, slot)) {
		return;
	}
	ask_more_files(l, ASK_MS);
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
			take_event(l, n.params);
			look_for_new(l, n.params);
		}
		rpc_reply_finish(&n);
		if (got <= 0) {
			return got == 0;
		}
	}
	return true;
}

static void tell(const struct logs *l, const char *text)
{
	if (l->c->err_tty) {
		client_note(l->c, "pmctl: %s", text);
	}
}

/* One look for the daemon, not longer than lines may be late. */
static enum away_now reconnect(struct logs *l)
{
	struct rpc_reply reply = {.id = -1};
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + BACK_MS};
	enum away_now now = away_look(&l->away, l->c);
	if (now != AWAY_BACK) {
		usleep(POLL_MS * 1000);
		return now;
	}
	bool ok = conn_call(&l->c->conn, "events", events_params(l), &w, &reply, &err);
	if (ok) {
		take_history(l, &reply);
		ok = ask_more_files(l, ASK_MS);
	}
	rpc_reply_finish(&reply);
	if (!ok) {
		conn_close(&l->c->conn);
		return AWAY_STILL;
	}
	tell(l, "the daemon is back");
	return AWAY_BACK;
}

/* Lines and events that there are by now. */
static bool print_new(struct logs *l)
{
	logset_refresh(&l->set);
	look_for_gaps(l);
	if (!print_lines(l, INT64_MAX, UINT64_MAX)) {
		return false;
	}
	pass_events(l, INT64_MAX, true);
	if (l->next_event && l->next_event == json_array_size(l->events)) {
		json_array_clear(l->events);
		l->next_event = 0;
	}
	return client_flush(l->c);
}

static int gone(struct logs *l)
{
	struct err err;
	err_set(&err, ERR_NO_DAEMON,
		"pmctld was killed, and its keeper too; none came back within %d s",
		AWAY_GIVE_UP_MS / 1000);
	return client_fail(l->c, &err, NULL);
}

static int follow(struct logs *l)
{
	enum away_now now = AWAY_BACK;
	while (!interrupt_pending()) {
		if (!l->c->conn.open) {
			now = reconnect(l);
		} else if (!take_events(l)) {
			away_begin(&l->away, l->c);
			tell(l, "the daemon is away; waiting");
		}
		if (!print_new(l)) {
			return 1;
		}
		if (client_is_unread()) {
			return 128 + SIGPIPE;
		}
		if (now == AWAY_STOPPED || now == AWAY_GONE) {
			return now == AWAY_STOPPED ? 0 : gone(l);
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
	status = tell_trouble(l);
	if (l->opts.follow) {
		status = follow(l);
	} else if (l->c->out_tty && l->c->err_tty && !l->opts.lines_given &&
		   l->opts.since_ns == INT64_MIN && l->view.form == LOGVIEW_NAMED) {
		client_note(l->c, "(%llu line%s; -f follows)", (unsigned long long)l->view.seq,
			    l->view.seq == 1 ? "" : "s");
	}
	return interrupt_pending() ? 128 + interrupt_pending() : status;
}

int cmd_logs(struct client *c)
{
	struct logs l = {.c = c};
	logset_init(&l.set);
	int status = logopts_init(&l.opts, c);
	if (status == 0) {
		prepare(&l);
		status = show(&l);
	}
	logset_finish(&l.set);
	logopts_finish(&l.opts);
	json_decref(l.events);
	return status;
}
