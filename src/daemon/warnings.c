/* SPDX-License-Identifier: MIT */
#include "daemon/warnings.h"

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/near.h"
#include "daemon/daemon.h"
#include "sys/proc.h"

#define FRESH_MS 1000

typedef void warning_fn(void *ctx, const struct warning *warning);

void warnings_init(struct warnings *w)
{
	*w = (struct warnings){0};
}

/* --- looking --- */

static void tell_room(struct daemon *d, const struct diskroom *r, enum diskroom_is was,
		      const char *dir)
{
	char text[400];
	diskroom_text(r, dir, text, sizeof(text));
	if (r->is > was) {
		events_add(&d->events, NULL, -1, "disk", NULL, "%s", text);
	} else if (r->is == DISKROOM_ENOUGH && was != DISKROOM_ENOUGH) {
		events_add(&d->events, NULL, -1, "disk", NULL, "there is room again: %s", text);
	}
}

static bool look_at_room(struct diskroom *r, const char *dir)
{
	enum diskroom_is was = r->is;
	if (!diskroom_read(dir, r)) {
		return false;
	}
	r->is = diskroom_judge(r, was);
	return true;
}

/* Both on one file system are told once. */
static void look_at_disk(struct daemon *d)
{
	struct warnings *w = &d->warnings;
	enum diskroom_is state = w->state.is, log = w->log.is;
	w->has_state = look_at_room(&w->state, d->paths.state);
	w->has_log = look_at_room(&w->log, d->paths.log);
	if (w->has_state) {
		tell_room(d, &w->state, state, d->paths.state);
	}
	if (w->has_log && !(w->has_state && w->log.dev == w->state.dev)) {
		tell_room(d, &w->log, log, d->paths.log);
	}
}

static void consider(struct fds_use *u, const char *who, pid_t pid)
{
	int used = proc_count_fds(pid);
	int64_t most = proc_max_fds(pid);
	if (used >= 0 && most > 0 &&
	    (!u->who || (double)used / (double)most > (double)u->used / u->most)) {
		*u = (struct fds_use){.who = who, .used = used, .most = (int)most};
	}
}

static void look_at_fds(struct daemon *d)
{
	struct warnings *w = &d->warnings;
	struct fds_use now = {0};
	bool was = w->fds_near;
	consider(&now, "pmctld", getpid());
	if (d->link.alive) {
		consider(&now, "the keeper of pmctld", d->link.ring->keeper_pid);
	}
	if (!now.who) {
		return; /* with none left an older kernel cannot tell: it is as it was */
	}
	w->fds = now;
	w->fds_near = near_limit(now.used, now.most, was);
	if (w->fds_near != was) {
		events_add(&d->events, NULL, -1, "descriptors", NULL,
			   w->fds_near ? "%s uses %d of its %d descriptors"
				       : "%s uses %d of its %d descriptors: enough are left again",
			   now.who, now.used, now.most);
	}
}

void warnings_look(struct daemon *d, int64_t now_mono_ms)
{
	struct warnings *w = &d->warnings;
	if (!w->looked_mono_ms || now_mono_ms - w->looked_mono_ms >= FRESH_MS) {
		w->looked_mono_ms = now_mono_ms;
		look_at_disk(d);
		look_at_fds(d);
	}
}

/* --- telling --- */

static struct warning make(const char *kind, bool fail, const char *text, const char *fix)
{
	struct warning out = {.kind = kind, .fail = fail};
	snprintf(out.text, sizeof(out.text), "%s", text);
	snprintf(out.fix, sizeof(out.fix), "%s", fix);
	return out;
}

static void tell(warning_fn *fn, void *ctx, const char *kind, bool fail, const char *text,
		 const char *fix)
{
	struct warning w = make(kind, fail, text, fix);
	fn(ctx, &w);
}

static void each_of_state(const struct store *s, warning_fn *fn, void *ctx)
{
	if (s->warning[0]) {
		tell(fn, ctx, "state", true, s->warning,
		     "what is wanted now is lost with a reboot; it is tried again all the time");
	}
	if (s->damage[0]) {
		tell(fn, ctx, "damage", false, s->damage, "see what pmctld.log says of it");
	}
	if (s->suspect[0]) {
		tell(fn, ctx, "suspect", false, s->suspect, "see what pmctld.log says of it");
	}
}

/* Log files that took nothing when they were written last. */
static void each_of_logs(struct daemon *d, warning_fn *fn, void *ctx)
{
	struct sink *s, *next;
	const struct sink *first = NULL;
	int more = -1;
	char text[400], also[48] = "";
	list_for_each(s, next, &d->outputs.sinks, node)
	{
		if (s->failing) {
			first = first ? first : s;
			more++;
		}
	}
	if (!first) {
		return;
	}
	if (more > 0) {
		snprintf(also, sizeof(also), ", and %d more log file%s", more,
			 more == 1 ? "" : "s");
	}
	snprintf(text, sizeof(text), "logs cannot be written: %s%s", first->why, also);
	tell(fn, ctx, "logs", true, text, "make room, or see to the file; the apps run on");
}

static void of_room(const struct diskroom *r, const char *kind, const char *dir, warning_fn *fn,
		    void *ctx)
{
	struct warning out = {.kind = kind, .fail = r->is != DISKROOM_LITTLE};
	if (r->is != DISKROOM_ENOUGH) {
		diskroom_text(r, dir, out.text, sizeof(out.text));
		diskroom_fix(r, dir, out.fix, sizeof(out.fix));
		fn(ctx, &out);
	}
}

static void each_of_disk(const struct daemon *d, warning_fn *fn, void *ctx)
{
	const struct warnings *w = &d->warnings;
	if (w->has_state) {
		of_room(&w->state, "disk-state", d->paths.state, fn, ctx);
	}
	if (w->has_log && !(w->has_state && w->log.dev == w->state.dev)) {
		of_room(&w->log, "disk-logs", d->paths.log, fn, ctx);
	}
}

static void of_fds(const struct warnings *w, warning_fn *fn, void *ctx)
{
	char text[120];
	if (w->fds_near) {
		snprintf(text, sizeof(text), "%s uses %d of its %d descriptors", w->fds.who,
			 w->fds.used, w->fds.most);
		tell(fn, ctx, "descriptors", w->fds.used >= w->fds.most, text,
		     "LimitNOFILE= in a drop-in of the unit, or \"* hard nofile\" in "
		     "/etc/security/limits.conf and a new log in; then restart the daemon");
	}
}

static void each(struct daemon *d, warning_fn *fn, void *ctx)
{
	each_of_state(&d->store, fn, ctx);
	if (!d->link.alive) {
		tell(fn, ctx, "keeper", true,
		     "the keeper was killed; a new one is started each second, and fails: "
		     "pmctld.log says why",
		     "see what pmctld.log says of it");
	}
	each_of_logs(d, fn, ctx);
	each_of_disk(d, fn, ctx);
	of_fds(&d->warnings, fn, ctx);
}

static void write_one(void *ctx, const struct warning *warning)
{
	struct jw *w = ctx;
	jw_obj(w);
	jw_kstr(w, "kind", warning->kind);
	jw_kbool(w, "fail", warning->fail);
	jw_kstr(w, "text", warning->text);
	jw_kstr(w, "fix", warning->fix);
	jw_end(w);
}

static void write_text(void *ctx, const struct warning *warning)
{
	jw_str(ctx, warning->text);
}

void warnings_write(struct jw *w, struct daemon *d)
{
	jw_arr(w);
	each(d, write_one, w);
	jw_end(w);
}

void warnings_write_texts(struct jw *w, struct daemon *d)
{
	char text[100];
	jw_arr(w);
	each(d, write_text, w);
	if (d->outputs.dropped) {
		snprintf(text, sizeof(text), "%lld bytes of logs were dropped: disk full",
			 (long long)d->outputs.dropped);
		jw_str(w, text);
	}
	jw_end(w);
}
