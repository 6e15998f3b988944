/* SPDX-License-Identifier: MIT */
#include "daemon/turntime.h"

#include <time.h>

#include "common/clock.h"
#include "common/mem.h"

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static void on_begin(struct ev_loop *loop, ev_check *w, int revents)
{
	(void)loop;
	(void)revents;
	container_of(w, struct turntime, begin)->woke_us = now_us();
}

static void on_end(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	struct turntime *t = container_of(w, struct turntime, end);
	if (!t->woke_us) {
		return;
	}
	int64_t us = now_us() - t->woke_us;
	int i = 0;
	for (int64_t bound = 1000; i < TURNTIME_BOUNDS - 1 && us > bound; bound *= 10) {
		i++;
	}
	t->count[i]++;
	t->sum_us += (uint64_t)us;
}

void turntime_init(struct turntime *t, struct ev_loop *loop)
{
	*t = (struct turntime){.loop = loop, .start_real_ms = clock_real_ms()};
	ev_check_init(&t->begin, on_begin);
	ev_set_priority(&t->begin, EV_MAXPRI); /* before all others of the turn */
	ev_check_start(loop, &t->begin);
	ev_prepare_init(&t->end, on_end);
	ev_prepare_start(loop, &t->end);
}

void turntime_finish(struct turntime *t)
{
	if (t->loop) {
		ev_check_stop(t->loop, &t->begin);
		ev_prepare_stop(t->loop, &t->end);
	}
}
