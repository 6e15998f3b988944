/* SPDX-License-Identifier: MIT */
#include "app/policy.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/mem.h"
#include "common/signals.h"

void history_init(struct history *h, int max_restarts)
{
	*h = (struct history){.cap = max_restarts > 0 ? (size_t)max_restarts : 1};
	h->when = xcalloc(h->cap, sizeof(*h->when));
}

void history_clear(struct history *h)
{
	h->count = h->next = 0;
	h->in_a_row = 0;
}

void history_finish(struct history *h)
{
	free(h->when);
	*h = (struct history){0};
}

void history_add(struct history *h, int64_t when)
{
	h->when[h->next] = when;
	h->next = (h->next + 1) % h->cap;
	if (h->count < h->cap) {
		h->count++;
	}
}

size_t history_within(const struct history *h, int64_t now, int64_t window_ms)
{
	size_t n = 0;
	for (size_t i = 0; i < h->count; i++) {
		n += now - h->when[i] < window_ms;
	}
	return n;
}

struct exit_status exit_status_decode(int status)
{
	struct exit_status st = {.known = true};
	if (WIFSIGNALED(status)) {
		st.signal = WTERMSIG(status);
		st.core = WCOREDUMP(status);
	} else {
		st.code = WEXITSTATUS(status);
	}
	return st;
}

void exit_status_text(const struct exit_status *st, char *out, size_t cap)
{
	if (!st->known) {
		snprintf(out, cap, "ended in an unknown way");
	} else if (st->signal == 0) {
		snprintf(out, cap, "exited %d", st->code);
	} else {
		char name[SIGNALS_NAME];
		snprintf(out, cap, "killed by %s%s%s", signals_name(st->signal, name),
			 st->core ? ", core dumped" : "", st->oom ? ", out of memory" : "");
	}
}

int64_t policy_delay(const struct app_conf *c, unsigned in_a_row, uint32_t random)
{
	int64_t delay = c->restart_delay_ms;
	for (unsigned i = 0; i < in_a_row && delay && delay < c->restart_delay_max_ms; i++) {
		delay *= 2;
	}
	if (delay > c->restart_delay_max_ms) {
		delay = c->restart_delay_max_ms;
	}
	int64_t spread = delay / 10;
	return delay + (spread ? (int64_t)(random % (uint32_t)(2 * spread + 1)) - spread : 0);
}

static bool is_stop_code(const struct app_conf *c, int code)
{
	for (size_t i = 0; i < c->nstop_exit_codes; i++) {
		if (c->stop_exit_codes[i] == code) {
			return true;
		}
	}
	return false;
}

static bool wants_restart(const struct app_conf *c, const struct exit_status *st)
{
	bool clean = st->known && st->signal == 0;
	if (c->autorestart == RESTART_NEVER || (clean && is_stop_code(c, st->code))) {
		return false;
	}
	return c->autorestart == RESTART_ALWAYS || !clean || st->code != 0;
}

enum inst_event policy_exit(const struct app_conf *c, struct history *h,
			    const struct exit_status *st, int64_t uptime_ms, int64_t now,
			    uint32_t random, int64_t *delay_ms)
{
	if (!wants_restart(c, st)) {
		return EV_EXIT_DONE;
	}
	if (c->max_restarts > 0 &&
	    history_within(h, now, c->restart_window_ms) >= (size_t)c->max_restarts) {
		return EV_EXIT_GIVE_UP;
	}
	history_add(h, now);
	if (uptime_ms >= POLICY_HEALTHY_MS) {
		h->in_a_row = 0;
		return EV_EXIT_NOW;
	}
	*delay_ms = policy_delay(c, h->in_a_row, random);
	h->in_a_row += h->in_a_row < UINT_MAX;
	return EV_EXIT_RETRY;
}
