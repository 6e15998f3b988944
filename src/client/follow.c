/* SPDX-License-Identifier: MIT */
/*
 * __follow: the lines of all apps on our own standard streams, as pmctld --foreground --logs wants
 * them. It follows the files as `logs -f` does: bytes are in them before anybody looks, so no app
 * waits for us, and a supervisor that dies costs no line.
 *
 * pmctld starts us before the apps and says by SIGUSR1 that nothing more will come.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands.h"
#include "client/logset.h"
#include "client/logview.h"
#include "client/stream.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/mem.h"

#define POLL_MS	  100	     /* between looks at the files */
#define ASK_MS	  5000	     /* for an answer of the daemon */
#define END_MS	  1500	     /* to write the rest at the end */
#define STALE_NS  1000000000 /* the beginning of a line that stays one is shown after this */
#define MANY	  32	     /* streams, from which on each gets smaller blocks */
#define MAX_FILES 64	     /* of one stream not read yet */

struct follow {
	struct client *c;
	struct logset set;
	struct stream out, err;
	int64_t since_ns; /* older lines are of an earlier life */
	int64_t seq;	  /* of the last event seen */
};

static volatile sig_atomic_t ending;

static void on_end(int sig)
{
	(void)sig;
	ending = 1;
}

/* --- which files --- */

static void add_files(struct follow *f, const json_t *files)
{
	size_t i, before = f->set.n;
	json_t *file;
	f->set.block_size = json_array_size(files) > MANY ? 8192 : f->set.block_size;
	json_array_foreach(files, i, file)
	{
		const char *stream = member_text(file, "stream", "out");
		const char *path = member_text(file, "path", NULL);
		if (path) {
			logset_add(&f->set, member_text(file, "app", "?"),
				   (int)member_int(file, "slot", -1),
				   strcmp(stream, "err") == 0 ? LOG_ERR : LOG_OUT, path);
		}
	}
	for (i = before; i < f->set.n; i++) {
		logsrc_start_since(&f->set.v[i]->src, f->since_ns);
	}
}

static bool ask(struct follow *f, const char *method, json_t *params, struct rpc_reply *reply)
{
	struct err ignored;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ASK_MS};
	return conn_call(&f->c->conn, method, params, &w, reply, &ignored);
}

static void ask_files(struct follow *f)
{
	struct rpc_reply reply = {.id = -1};
	if (ask(f, "logs", NULL, &reply)) {
		add_files(f, json_object_get(reply.result, "files"));
	}
	rpc_reply_finish(&reply);
}

/* The files, and events from now on: they tell of instances that were not there before. */
static void subscribe(struct follow *f)
{
	struct rpc_reply reply = {.id = -1};
	struct err ignored;
	json_t *params = json_object();
	if (!params) {
		abort();
	}
	client_set(params, "n", json_integer(0));
	client_set(params, "follow", json_true());
	if (!client_connect(f->c, &ignored)) {
		json_decref(params);
		return; /* a supervisor is on its way */
	}
	if (ask(f, "events", params, &reply)) {
		ask_files(f);
	} else {
		conn_close(&f->c->conn);
	}
	rpc_reply_finish(&reply);
}

static void take_events(struct follow *f, int wait_ms)
{
	bool news = false;
	int64_t until = clock_mono_ms() + wait_ms;
	for (int64_t left = wait_ms; f->c->conn.open && !ending; left = until - clock_mono_ms()) {
		struct rpc_reply n;
		struct err ignored;
		int got = conn_next(&f->c->conn, left > 0 ? (int)left : 0, &n, &ignored);
		const char *app = got > 0 ? member_text(n.params, "app", "") : "";
		int slot = got > 0 ? (int)member_int(n.params, "slot", -1) : -1;
		news |= app[0] && slot >= 0 && !logset_has(&f->set, app, slot);
		rpc_reply_finish(&n);
		if (got < 0) {
			conn_close(&f->c->conn);
		}
		if (got <= 0) {
			break;
		}
	}
	if (news && f->c->conn.open) {
		ask_files(f);
	}
}

/* --- lines --- */

static void add_prefix(struct buf *out, const struct logsrc *src)
{
	char name[64];
	logview_name(src->app, src->slot, name, sizeof(name));
	buf_addf(out, "%s | ", name);
}

static struct stream *stream_of(struct follow *f, const struct logsrc *src)
{
	return src->stream == LOG_ERR ? &f->err : &f->out;
}

static void tell_lost(struct stream *s, const struct stream *other_dead, const char *what)
{
	if (s->closed) {
		return;
	}
	if (s->lost) {
		buf_addf(&s->text, "[pmctl: %llu bytes not shown: no room on the disk]\n",
			 (unsigned long long)s->lost);
		s->lost = 0;
	}
	if (other_dead->closed && !other_dead->told) {
		buf_addf(&s->text, "[pmctl: %s is closed, its lines are not shown any more]\n",
			 what);
	}
}

static void tell_skipped(struct logsrc *src, struct stream *s)
{
	if (src->skipped) {
		add_prefix(&s->text, src);
		buf_addf(&s->text,
			 "[pmctl: %llu bytes not shown: whoever reads this is too slow]\n",
			 (unsigned long long)src->skipped);
		src->skipped = 0;
	}
	if (src->files.gap) {
		char text[LOGFILES_GAP];
		logfiles_gap_text(&src->files, text);
		add_prefix(&s->text, src);
		buf_addf(&s->text, "[pmctl: %s]\n", text);
		logfiles_gap_told(&src->files);
	}
}

/* Also of those that say nothing more. */
static void tell_all_skipped(struct follow *f)
{
	for (size_t i = 0; i < f->set.n; i++) {
		struct logset_entry *e = f->set.v[i];
		struct stream *s = stream_of(f, &e->src);
		if (!e->held && !s->closed) {
			tell_skipped(&e->src, s);
		}
	}
}

static void add_line(struct follow *f, struct logset_entry *e)
{
	struct stream *s = stream_of(f, &e->src);
	if (s->closed || e->next.t_ns < f->since_ns) {
		return;
	}
	tell_skipped(&e->src, s);
	add_prefix(&s->text, &e->src);
	buf_add(&s->text, e->next.data, e->next.len);
	buf_addc(&s->text, '\n');
}

/* As many lines as find room. Returns whether some may be left. */
static bool add_lines(struct follow *f)
{
	const struct logset_entry *e;
	int64_t until = clock_mono_ms() + POLL_MS;
	while (!stream_is_full(&f->out) && !stream_is_full(&f->err)) {
		if (clock_mono_ms() >= until) {
			return true;
		}
		e = logset_next(&f->set);
		if (!e) {
			return false;
		}
		add_line(f, f->set.v[f->set.last]);
		if (f->out.text.len + f->err.text.len >= STREAM_FULL / 2) {
			stream_flush(&f->out);
			stream_flush(&f->err);
		}
	}
	return true;
}

static void flush(struct follow *f)
{
	stream_flush(&f->out);
	stream_flush(&f->err);
	tell_lost(&f->out, &f->err, "standard error");
	tell_lost(&f->err, &f->out, "standard output");
	f->out.told = f->out.closed;
	f->err.told = f->err.closed;
}

/* What nobody reads in time is left out, and the files are not held for ever. */
static void look_how_far_behind(struct follow *f)
{
	for (size_t i = 0; i < f->set.n; i++) {
		struct logsrc *src = &f->set.v[i]->src;
		if (logsrc_behind(src) > LIMIT_STREAM_BEHIND || src->files.n > MAX_FILES) {
			logsrc_skip(src);
		}
	}
}

static void wait_writable(const struct follow *f)
{
	struct pollfd p[2] = {{.fd = f->out.text.len ? f->out.fd : -1, .events = POLLOUT},
			      {.fd = f->err.text.len ? f->err.fd : -1, .events = POLLOUT}};
	poll(p, 2, POLL_MS);
}

static void turn(struct follow *f)
{
	bool more = add_lines(f);
	tell_all_skipped(f);
	flush(f);
	bool stuck = stream_is_full(&f->out) || stream_is_full(&f->err);
	if (stuck) {
		wait_writable(f);
	}
	if (more) {
		look_how_far_behind(f);
	}
	if (!f->c->conn.open) {
		subscribe(f);
		if (!f->c->conn.open && !more && !ending) {
			poll(NULL, 0, POLL_MS);
		}
	} else {
		take_events(f, more ? 0 : POLL_MS);
	}
	logset_refresh(&f->set);
	logset_take_open(&f->set, clock_real_ms() * 1000000 - STALE_NS);
}

/* The daemon ended before it could name the files of what did not run for long: those of the
 * default place, APP-SLOT.out.log and .err.log, tell by their names. Old ones have nothing new. */
static void add_unnamed(struct follow *f)
{
	struct err ignored;
	char app[80];
	int slot, len;
	size_t before = f->set.n;
	DIR *dir = client_paths(f->c, &ignored) ? opendir(f->c->paths.log) : NULL;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char stream[4] = "";
		const char *dash = strrchr(e->d_name, '-');
		if (!dash || sscanf(dash, "-%d.%3[a-z].log%n", &slot, stream, &len) != 2 ||
		    dash[len] || dash == e->d_name || (size_t)(dash - e->d_name) >= sizeof(app)) {
			continue;
		}
		snprintf(app, sizeof(app), "%.*s", (int)(dash - e->d_name), e->d_name);
		char *path = xasprintf("%s/%s", f->c->paths.log, e->d_name);
		bool is_err = strcmp(stream, "err") == 0;
		logset_add(&f->set, app, slot, is_err ? LOG_ERR : LOG_OUT, path);
		free(path);
	}
	if (dir) {
		closedir(dir);
	}
	for (size_t i = before; i < f->set.n; i++) {
		logsrc_start_since(&f->set.v[i]->src, f->since_ns);
	}
}

/* Nothing is written any more. All that is there, as far as it is taken in time. */
static void finish(struct follow *f)
{
	int64_t until = clock_mono_ms() + END_MS;
	bool more = true;
	f->set.complete = false;
	add_unnamed(f);
	while (clock_mono_ms() < until && !(f->out.closed && f->err.closed)) {
		logset_refresh(&f->set);
		logset_take_open(&f->set, INT64_MAX);
		bool none = !add_lines(f);
		flush(f);
		if (f->out.text.len || f->err.text.len) {
			wait_writable(f);
		} else if (none && !more) {
			return;
		}
		more = !none; /* once again: a rotation may have been on its way */
	}
}

int cmd_follow(struct client *c)
{
	struct follow f = {.c = c, .out = {.fd = STDOUT_FILENO}, .err = {.fd = STDERR_FILENO}};
	struct sigaction sa = {.sa_handler = on_end};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	f.since_ns = strtoll(c->args.operand[0], NULL, 10) * 1000000;
	logset_init(&f.set);
	f.set.complete = true;
	while (!ending && !(f.out.closed && f.err.closed)) {
		turn(&f);
	}
	finish(&f);
	logset_finish(&f.set);
	buf_finish(&f.out.text);
	buf_finish(&f.err.text);
	return 0;
}
