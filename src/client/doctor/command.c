/* SPDX-License-Identifier: MIT */
/* doctor: what could go wrong here, and what helps. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/commands.h"
#include "client/doctor/diagnosis.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/words.h"

#define ASK_MS 2000

__attribute__((format(printf, 1, 0))) static char *one_line(const char *fmt, va_list ap)
{
	char *text = xvasprintf(fmt, ap);
	for (char *s = text; *s; s++) {
		*s = *s == '\n' || *s == '\t' ? ' ' : *s;
	}
	return text;
}

struct finding *diagnosis_add(struct diagnosis *d, const char *name, enum finding_is is,
			      const char *fmt, ...)
{
	va_list ap;
	d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
	struct finding *f = &d->v[d->n++];
	va_start(ap, fmt);
	*f = (struct finding){name, is, one_line(fmt, ap), NULL};
	va_end(ap);
	return f;
}

void finding_fix(struct finding *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	free(f->fix);
	f->fix = one_line(fmt, ap);
	va_end(ap);
}

char *doctor_quoted(const char *path)
{
	struct buf out = {0};
	words_add_quoted(&out, path);
	return buf_take(&out);
}

void diagnosis_finish(struct diagnosis *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].text);
		free(d->v[i].fix);
	}
	free(d->v);
	d->v = NULL;
	d->n = 0;
}

static const char *word_of(enum finding_is is)
{
	static const char *const words[] = {"ok", "warn", "fail"};
	return words[is];
}

static size_t count(const struct diagnosis *d, enum finding_is is)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++) {
		n += d->v[i].is == is;
	}
	return n;
}

static void print_json(struct diagnosis *d)
{
	struct buf *out = &d->c->out;
	buf_addf(out, "{\"v\":1,\"ok\":%s,\"warnings\":%zu,\"failures\":%zu,\"checks\":[",
		 count(d, FINDING_FAIL) ? "false" : "true", count(d, FINDING_WARN),
		 count(d, FINDING_FAIL));
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->v[i];
		buf_addf(out, "%s{\"name\":\"%s\",\"result\":\"%s\",\"text\":", i ? "," : "",
			 f->name, word_of(f->is));
		buf_add_json(out, f->text, strlen(f->text));
		buf_adds(out, ",\"fix\":");
		if (f->fix) {
			buf_add_json(out, f->fix, strlen(f->fix));
		} else {
			buf_adds(out, "null");
		}
		buf_addc(out, '}');
	}
	buf_adds(out, "]}\n");
}

static void print_lines(struct diagnosis *d)
{
	static const enum style styles[] = {STYLE_OK, STYLE_WARN, STYLE_FAIL};
	struct buf *out = &d->c->out;
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->v[i];
		const char *begin = d->c->out_color ? color_begin(styles[f->is]) : "";
		buf_addf(out, "%s%s%s", begin, word_of(f->is), begin[0] ? COLOR_END : "");
		buf_addf(out, "%*s%-12s ", (int)(6 - strlen(word_of(f->is))), "", f->name);
		client_add_text(out, f->text);
		if (f->fix) {
			buf_adds(out, "; fix: ");
			client_add_text(out, f->fix);
		}
		buf_addc(out, '\n');
	}
}

/* Short: a daemon that hangs is a finding as well. */
static bool ask_status(struct diagnosis *d, struct rpc_reply *reply)
{
	struct err err;
	struct conn_wait w = {.deadline_mono_ms = clock_mono_ms() + ASK_MS};
	if (!client_connect(d->c, &err) ||
	    !conn_call(&d->c->conn, "status", NULL, &w, reply, &err)) {
		return false;
	}
	d->status = reply->result;
	d->keeper = (pid_t)member_int(reply->result, "keeper_pid", 0);
	return true;
}

int cmd_doctor(struct client *c)
{
	struct diagnosis d = {.c = c};
	struct rpc_reply reply = {.id = -1};
	struct err err;
	if (!client_paths(c, &err)) {
		return client_fail(c, &err, NULL);
	}
	ask_status(&d, &reply);
	doctor_files(&d);
	doctor_daemon(&d);
	doctor_apps(&d);
	doctor_host(&d);
	if (c->json) {
		print_json(&d);
	} else {
		print_lines(&d);
	}
	bool written = client_flush(c);
	size_t failures = count(&d, FINDING_FAIL), warnings = count(&d, FINDING_WARN);
	client_note(c, "%zu checks: %zu failed, %zu warning%s", d.n, failures, warnings,
		    warnings == 1 ? "" : "s");
	diagnosis_finish(&d);
	rpc_reply_finish(&reply);
	return !written || failures ? 1 : 0;
}
