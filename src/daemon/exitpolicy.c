/* SPDX-License-Identifier: MIT */
#include "daemon/exitpolicy.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/looptimer.h"
#include "daemon/runner.h"

/* Docker's and the shell's way to say that a signal did it. */
#define BY_SIGNAL 128

/* How an app ended. */
struct ending {
	struct app *app; /* NULL = none has */
	int code;
	int64_t real_ms;
};

/* Its process may come again without anybody asking. */
static bool may_come_again(const struct app *app)
{
	return app->conf.cron_restart || app->conf.watch || !list_empty(&app->others);
}

static bool is_over(const struct inst *in)
{
	return in->state == ST_DONE || in->state == ST_FAILED ||
	       (in->state == ST_STOPPED && in->held == HOLD_IN_VAIN);
}

static int code_of(const struct inst *in)
{
	if (!in->has_exited || in->start_error[0] || !in->last_exit.known) {
		return 1;
	}
	return in->last_exit.signal ? BY_SIGNAL + in->last_exit.signal : in->last_exit.code;
}

/* Whether it is wanted at all; then *over tells whether it has ended, and *e how. */
static bool is_wanted(struct app *app, bool *over, struct ending *e)
{
	bool wanted = false;
	*over = !may_come_again(app);
	*e = (struct ending){.app = app};
	for (int i = 0; i < app->count && !app->deleting; i++) {
		const struct inst *in = app->slots[i];
		if (!in->wanted) {
			*over = *over && !states_is_live(in->state);
			continue;
		}
		wanted = true;
		*over = *over && is_over(in);
		e->code = e->code ? e->code : code_of(in);
		if (in->last_exit_real_ms > e->real_ms) {
			e->real_ms = in->last_exit_real_ms;
		}
	}
	e->real_ms = e->real_ms ? e->real_ms : INT64_MAX;
	return wanted;
}

/* In the order of time; those that did not run at all come last, in the order of the list. */
static void keep_first(struct ending *first, const struct ending *e)
{
	if (!first->app || e->real_ms < first->real_ms) {
		*first = *e;
	}
}

static bool is_time(const struct daemon *d, enum exit_on on, struct ending *first)
{
	struct app *app, *next;
	struct ending any = {0}, bad = {0}, e;
	bool all = true, over;
	list_for_each(app, next, &d->apps, node)
	{
		if (!is_wanted(app, &over, &e)) {
			continue;
		}
		all = all && over;
		if (over) {
			keep_first(&any, &e);
		}
		if (over && e.code) {
			keep_first(&bad, &e);
		}
	}
	*first = on == EXIT_ON_ALL && bad.app ? bad : any;
	return any.app && (on == EXIT_ON_ANY || all);
}

/* For whoever reads the output of the container; it must not be waited for. */
static void tell(const char *text)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	log_line("%s", text);
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
		dprintf(STDERR_FILENO, "pmctld: %s\n", text);
	}
}

static void on_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	struct daemon *d = container_of(w, struct exitpolicy, look)->daemon;
	struct container *c = &d->link.ring->container;
	struct ending first;
	char text[120];
	if (d->stopping || !is_time(d, (enum exit_on)c->exit_on, &first)) {
		return;
	}
	c->exit_status = first.code;
	snprintf(text, sizeof(text), "%s has ended, and so do I, with %d (--exit-on %s)",
		 first.app->conf.name, first.code, c->exit_on == EXIT_ON_ANY ? "any" : "all");
	tell(text);
	daemon_stop(d, false);
}

void exitpolicy_init(struct exitpolicy *p, struct daemon *d)
{
	p->daemon = d;
	ev_init(&p->look, on_look);
}

void exitpolicy_finish(struct exitpolicy *p)
{
	if (p->daemon) {
		ev_timer_stop(p->daemon->loop, &p->look);
	}
}

void exitpolicy_wake(struct daemon *d)
{
	if (d->link.ring->container.exit_on != EXIT_ON_NEVER && !d->stopping) {
		looptimer_soon(d->loop, &d->exit_policy.look);
	}
}
