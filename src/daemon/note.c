/* SPDX-License-Identifier: MIT */
#include "daemon/note.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"

bool note_leak(const struct inst *in, int64_t *bytes_per_min, int64_t *left_ms)
{
	if (!in->past || !in->pid || !leak_is(&in->past->leak)) {
		return false;
	}
	*bytes_per_min = leak_bytes_per_min(&in->past->leak);
	*left_ms = leak_left_ms(&in->past->leak, in->app->conf.memory_max, in->sample.mem_bytes);
	return true;
}

static void add_note(const char *text, char *note, size_t cap)
{
	size_t len = strlen(note);
	snprintf(note + len, cap - len, "%s%s", len ? "; " : "", text);
}

/* What went wrong comes first. */
static void add_warnings(const struct inst *in, char *note, size_t cap)
{
	int64_t rate, left;
	char text[64];
	if (note_leak(in, &rate, &left)) {
		leak_text(rate, left, text, sizeof(text));
		add_note(text, note, cap);
	}
	if (in->pid && in->sample.fds_near) {
		snprintf(text, sizeof(text), "%d of %lld descriptors", in->sample.fds_most,
			 (long long)in->sample.fds_max);
		add_note(text, note, cap);
	}
}

/* What a state that passes, or is meant to be, has to say. */
static void note_of_state(const struct inst *in, char *out, size_t cap)
{
	const struct app_conf *c = &in->app->conf;
	struct ev_loop *loop = in->app->daemon->loop;
	char left[24], all[24];
	if (in->state == ST_STARTING && (c->ready.kind != PROBE_AUTO || in->app->cluster)) {
		units_format_age(inst_uptime_ms(in), left, sizeof(left));
		units_format_duration(c->ready_timeout_ms, all, sizeof(all));
		snprintf(out, cap, "not ready, %s of %s%s%s", left, all,
			 in->ask_failed[0] ? ": " : "", in->ask_failed);
	} else if (in->state == ST_STOPPING && ev_is_active(&in->kill_timer) && !in->killed) {
		double s = ev_timer_remaining(loop, (ev_timer *)&in->kill_timer);
		units_format_age(s > 0 ? (int64_t)(s * 1000) : 0, left, sizeof(left));
		snprintf(out, cap, "SIGKILL in %s", left);
	} else if (in->state == ST_STOPPED) {
		snprintf(out, cap, "%s",
			 in->run || in->overruled ? "asked to stop" : "not started");
	}
}

void note_inst(const struct inst *in, char *out, size_t cap)
{
	char left[24], when[32];
	out[0] = '\0';
	if (in->state == ST_BACKOFF) {
		int64_t ms = in->backoff_until_mono_ms - clock_mono_ms();
		units_format_age(ms > 0 ? ms : 0, left, sizeof(left));
		snprintf(out, cap, "try in %s: %s", left, in->note);
	} else if (schedule_starts(in) && schedule_next_text(in->app, when, sizeof(when))) {
		snprintf(out, cap, "next %s%s%s", when, in->note[0] ? "; " : "", in->note);
	} else if (in->note[0] && (in->state != ST_STOPPED || in->held)) {
		snprintf(out, cap, "%s", in->note);
	} else {
		note_of_state(in, out, cap);
	}
	add_warnings(in, out, cap);
}

void note_app(const struct app *app, const struct inst *in, char *out, size_t cap)
{
	char note[sizeof(in->note) + 100];
	note_inst(in, note, sizeof(note));
	if (note[0] && app->count > 1 && in->state != ST_STOPPED) {
		snprintf(out, cap, ":%d %s", in->slot, note);
	} else {
		snprintf(out, cap, "%s", note);
	}
}
