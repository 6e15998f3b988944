/* SPDX-License-Identifier: MIT */
#include "client/outcome.h"

#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "common/limits.h"
#include "common/units.h"
#include "sys/fileio.h"

/* The results of one app, which stand behind each other. */
struct group {
	const char *app;
	const json_t *results;
	const json_t *totals; /* of the app, from `apps`; NULL = not told */
	size_t from, n;
	size_t fresh; /* replaced by a new process, or started again */
	size_t left;  /* never begun */
	size_t kept;  /* failed, but the old one serves */
	size_t old;   /* kept or left, and online */
	size_t last_fresh;
};

struct report {
	struct client *c;
	const char *method;
	struct buf err; /* stdout is c->out */
};

static bool is_ok(const json_t *r)
{
	return json_is_true(json_object_get(r, "ok"));
}

static bool is_done(const json_t *r, const char *done)
{
	return strcmp(member_text(r, "done", ""), done) == 0;
}

bool outcome_is_kept(const json_t *target)
{
	return is_done(target, "kept");
}

bool outcome_is_left(const json_t *target)
{
	return is_done(target, "left as it was");
}

bool outcome_is_reverted(const json_t *target)
{
	return json_is_true(json_object_get(target, "reverted"));
}

enum sign { SIGN_OK, SIGN_STOPPED, SIGN_FAILED };

static void add_mark(const struct client *c, struct buf *out, enum sign sign)
{
	static const struct {
		const char *utf8, *ascii;
		enum style style;
	} marks[] = {
		[SIGN_OK] = {"✔", "+", STYLE_OK},
		[SIGN_STOPPED] = {"▲", "!", STYLE_WARN},
		[SIGN_FAILED] = {"✖", "X", STYLE_FAIL},
	};
	bool is_err = out != &c->out;
	bool color = is_err ? c->err_color : c->out_color;
	if (!(is_err ? c->err_tty : c->out_tty)) {
		buf_adds(out, is_err ? "pmctl: " : "");
		return;
	}
	buf_addf(out, "%s%s%s ", color ? color_begin(marks[sign].style) : "",
		 c->utf8 ? marks[sign].utf8 : marks[sign].ascii, color ? COLOR_END : "");
}

static void add_slot(struct buf *out, const json_t *r)
{
	client_add_text(out, member_text(r, "app", "?"));
	if (member_int(r, "slot", -1) >= 0) {
		buf_addf(out, ":%lld", (long long)member_int(r, "slot", 0));
	}
}

/* --- what succeeded, result by result --- */

static bool same_outcome(const json_t *a, const json_t *b)
{
	return strcmp(member_text(a, "app", ""), member_text(b, "app", "")) == 0 &&
	       strcmp(member_text(a, "done", ""), member_text(b, "done", "")) == 0 && is_ok(a) &&
	       is_ok(b);
}

static bool has_pid(const json_t *r)
{
	return strcmp(member_text(r, "state", ""), "online") == 0 && member_int(r, "pid", 0) > 0;
}

/* "web started, 4 instances" or "web:2 started, pid 4711". Returns how many it stands for. */
static size_t add_success(const struct client *c, struct buf *out, const json_t *results, size_t i,
			  size_t end)
{
	const json_t *r = json_array_get(results, i);
	size_t n = 1;
	while (i + n < end && same_outcome(r, json_array_get(results, i + n))) {
		n++;
	}
	add_mark(c, out, SIGN_OK);
	if (n == 1) {
		add_slot(out, r);
	} else {
		client_add_text(out, member_text(r, "app", "?"));
	}
	buf_adds(out, " ");
	client_add_text(out, member_text(r, "done", "done"));
	if (n > 1) {
		buf_addf(out, ", %zu instances", n);
	} else if (has_pid(r)) {
		buf_addf(out, ", pid %lld", (long long)member_int(r, "pid", 0));
	}
	if (member_text(r, "reason", "")[0]) {
		buf_adds(out, " (");
		client_add_text(out, member_text(r, "reason", ""));
		buf_addc(out, ')');
	}
	buf_addc(out, '\n');
	return n;
}

/* --- what failed --- */

static void add_lines(struct buf *out, const json_t *lines)
{
	for (size_t i = 0; i < json_array_size(lines) && i < LIMIT_LAST_LINES; i++) {
		const json_t *line = json_array_get(lines, i);
		buf_adds(out, "    ");
		buf_add_escaped(out, json_string_value(line) ? json_string_value(line) : "",
				json_string_length(line), 0);
		buf_addc(out, '\n');
	}
}

static void add_failure(struct report *p, const json_t *r)
{
	add_mark(p->c, &p->err, SIGN_FAILED);
	add_slot(&p->err, r);
	buf_addc(&p->err, ' ');
	client_add_text(&p->err, member_text(r, "reason", member_text(r, "state", "failed")));
	buf_addc(&p->err, '\n');
	add_lines(&p->err, json_object_get(r, "lines"));
}

static bool is_apply(const struct report *p)
{
	return strcmp(p->method, "apply") == 0 || strcmp(p->method, "rollback") == 0;
}

/* All or nothing: what is new of it does not stay. */
static void add_reverted(struct report *p, const struct group *g)
{
	bool any = false;
	for (size_t i = g->from; i < g->from + g->n; i++) {
		any |= outcome_is_reverted(json_array_get(g->results, i));
	}
	if (any) {
		buf_adds(&p->err, "  ");
		client_add_text(&p->err, g->app);
		buf_addf(&p->err, ": the definition before is in force again%s.\n",
			 g->fresh ? "; what is new already goes back to it" : "");
	}
}

/* Result by result: what has no better words. */
static void print_each(struct report *p, const struct group *g)
{
	bool failed = false;
	for (size_t i = g->from; i < g->from + g->n;) {
		const json_t *r = json_array_get(g->results, i);
		if (is_ok(r)) {
			i += add_success(p->c, &p->c->out, g->results, i, g->from + g->n);
			continue;
		}
		add_failure(p, r);
		failed |= !is_done(r, "overruled");
		i++;
	}
	add_reverted(p, g);
	if (failed) {
		struct buf name = {0};
		client_add_text(&name, g->app);
		buf_addf(&p->err,
			 "  All lines: pmctl logs %s     Why: pmctl why %s     Give up: pmctl stop "
			 "%s\n",
			 name.data, name.data, name.data);
		buf_finish(&name);
	}
}

/* --- a reload --- */

/* "✔ reload web: 4 of 4 in 9.2s, never fewer than 4 serving" */
static void print_reloaded(struct report *p, const struct group *g)
{
	struct buf *out = &p->c->out;
	char age[24];
	int64_t ms = member_int(g->totals, "ms", -1);
	int64_t least = member_int(g->totals, "least", 0);
	add_mark(p->c, out, SIGN_OK);
	buf_addf(out, "%s ", p->method);
	client_add_text(out, g->app);
	buf_addf(out, ": %zu of %zu", g->fresh, g->n);
	if (ms >= 0) {
		units_format_age(ms, age, sizeof(age));
		buf_addf(out, " in %s", age);
	}
	if (least > 0) {
		buf_addf(out, ", never fewer than %lld serving", (long long)least);
	}
	buf_addc(out, '\n');
}

/* "  The rest: pmctl reload web:2-3" */
static void add_rest(struct report *p, const struct group *g)
{
	int64_t first = -1, last = -1;
	if (is_apply(p)) {
		bool one = strcmp(p->method, "apply") != 0;
		buf_addf(&p->err, "  All of it: pmctl %s%s%s\n", p->method, one ? " " : "",
			 one ? g->app : "");
		return;
	}
	buf_addf(&p->err, "  The rest: pmctl %s ", p->method);
	client_add_text(&p->err, g->app);
	for (size_t i = g->from; i < g->from + g->n; i++) {
		const json_t *r = json_array_get(g->results, i);
		int64_t slot = member_int(r, "slot", 0);
		if (!outcome_is_left(r)) {
			continue;
		}
		if (first >= 0 && slot == last + 1) {
			last = slot;
			continue;
		}
		if (last > first) {
			buf_addf(&p->err, "-%lld", (long long)last);
		}
		buf_addf(&p->err, "%c%lld", first < 0 ? ':' : ',', (long long)slot);
		first = last = slot;
	}
	if (last > first) {
		buf_addf(&p->err, "-%lld", (long long)last);
	}
	buf_addc(&p->err, '\n');
}

/* "▲ reload web stopped after web:2: 3 of 4 are new, 1 is as before" */
static void print_cancelled(struct report *p, const struct group *g)
{
	struct buf *out = &p->c->out;
	add_mark(p->c, out, SIGN_STOPPED);
	buf_addf(out, "%s ", p->method);
	client_add_text(out, g->app);
	if (g->fresh) {
		buf_adds(out, " stopped after ");
		add_slot(out, json_array_get(g->results, g->last_fresh));
	} else {
		buf_adds(out, " not begun");
	}
	buf_addf(out, ": %zu of %zu %s new, %zu %s as before\n", g->fresh, g->n,
		 g->fresh == 1 ? "is" : "are", g->left, g->left == 1 ? "is" : "are");
	add_rest(p, g);
}

/* "✖ reload web stopped at web:0: new process 51877 exited 1 after 0.4s" */
static void add_stop(struct report *p, const struct group *g, const json_t *r, bool first)
{
	struct buf *out = &p->err;
	int64_t pid = member_int(r, "new_pid", 0);
	add_mark(p->c, out, SIGN_FAILED);
	if (first) {
		buf_addf(out, "%s ", p->method);
		client_add_text(out, g->app);
		buf_adds(out, " stopped at ");
	}
	add_slot(out, r);
	buf_adds(out, ": ");
	if (pid) {
		const char *reason = member_text(r, "reason", "");
		bool verb = strncmp(reason, "not ", 4) == 0;
		buf_addf(out, "new process %lld %s", (long long)pid, verb ? "was " : "");
	}
	client_add_text(out, member_text(r, "reason", "failed"));
	buf_addc(out, '\n');
	add_lines(out, json_object_get(r, "lines"));
}

/* "4 of 4 still serve the previous version." or "2 of 4 are new, 2 still serve the previous ..." */
static void add_versions(struct buf *out, const struct group *g)
{
	const char *verb = g->old == 1 ? "serves" : "serve";
	if (g->fresh) {
		buf_addf(out, " %zu of %zu %s new, %zu still %s the previous version.\n", g->fresh,
			 g->n, g->fresh == 1 ? "is" : "are", g->old, verb);
	} else {
		buf_addf(out, " %zu of %zu still %s the previous version.\n", g->old, g->n, verb);
	}
}

static void print_kept(struct report *p, const struct group *g)
{
	struct buf *out = &p->err;
	const json_t *at = NULL;
	for (size_t i = g->from; i < g->from + g->n; i++) {
		const json_t *r = json_array_get(g->results, i);
		if (!is_ok(r)) {
			add_stop(p, g, r, !at);
			at = at ? at : r;
		}
	}
	for (size_t i = g->from; i < g->from + g->n; i++) {
		const json_t *r = json_array_get(g->results, i);
		int64_t pid = member_int(r, "old_pid", member_int(r, "pid", 0));
		if (outcome_is_kept(r)) {
			buf_adds(out, i == g->from || out->data[out->len - 1] == '\n' ? "  " : " ");
			add_slot(out, r);
			buf_addf(out, " old process %lld was kept.", (long long)pid);
		}
	}
	add_versions(out, g);
	add_reverted(p, g);
	buf_addf(out, "  Fix, then: pmctl %s ", p->method);
	client_add_text(out, strcmp(p->method, "apply") == 0 ? "" : g->app);
	buf_adds(out, "         All lines: pmctl logs ");
	add_slot(out, at);
	buf_adds(out, " --since 1m\n");
}

/* --- which words --- */

static void count(struct group *g)
{
	for (size_t i = g->from; i < g->from + g->n; i++) {
		const json_t *r = json_array_get(g->results, i);
		g->kept += outcome_is_kept(r);
		g->left += outcome_is_left(r);
		g->old += (outcome_is_kept(r) || outcome_is_left(r)) &&
			  strcmp(member_text(r, "state", ""), "online") == 0;
		if (is_ok(r) && (is_done(r, "reloaded") || is_done(r, "restarted"))) {
			g->fresh++;
			g->last_fresh = i;
		}
	}
}

static void print_group(struct report *p, const struct group *g, bool cancelled)
{
	bool reload = strcmp(p->method, "reload") == 0 || is_apply(p);
	if (reload && g->fresh == g->n) {
		print_reloaded(p, g);
	} else if (cancelled && g->left && g->fresh + g->left == g->n) {
		print_cancelled(p, g);
	} else if (reload && g->kept && g->fresh + g->left + g->kept == g->n) {
		print_kept(p, g);
	} else {
		print_each(p, g);
	}
}

void outcome_print(struct client *c, const char *method, const json_t *result)
{
	const json_t *results = json_object_get(result, "results");
	bool cancelled = json_is_true(json_object_get(result, "cancelled"));
	struct report p = {.c = c, .method = method};
	for (size_t i = 0; i < json_array_size(results);) {
		struct group g = {.results = results, .from = i};
		g.app = member_text(json_array_get(results, i), "app", "?");
		while (i < json_array_size(results) &&
		       strcmp(member_text(json_array_get(results, i), "app", "?"), g.app) == 0) {
			i++;
			g.n++;
		}
		g.totals = member_find(json_object_get(result, "apps"), "app", g.app);
		count(&g);
		print_group(&p, &g, cancelled);
	}
	client_flush(c);
	(void)!file_write_all(STDERR_FILENO, p.err.data, p.err.len);
	buf_finish(&p.err);
}
