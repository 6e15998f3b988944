/* SPDX-License-Identifier: MIT */
#include "daemon/takeover.h"

#include <signal.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "daemon/reap.h"
#include "daemon/runner.h"
#include "daemon/sparefd.h"
#include "daemon/workers.h"

#define RETRY 1.

static void deposit_inst(struct inst *in)
{
	reap_deposit(in);
	workers_deposit(in);
	if (in->notify) {
		notify_deposit(in->notify);
	}
}

static void deposit_all(void *ctx)
{
	struct daemon *d = ctx;
	struct app *app, *next;
	struct inst *in, *after;
	server_deposit(&d->server);
	if (d->own_log_fd >= 0) {
		link_deposit(&d->link, "log", d->own_log_fd);
	}
	sockets_deposit(&d->sockets);
	outputs_deposit(&d->outputs);
	pasts_deposit(&d->pasts);
	tally_deposit(&d->tally);
	exporter_deposit(&d->exporter);
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			deposit_inst(app->slots[i]);
		}
		list_for_each(in, after, &app->others, other_node)
		{
			deposit_inst(in);
		}
	}
}

/* What comes from now on waits, over execve too, for the keeper, which passes it on. */
static void hold_signals(struct daemon *d, bool hold)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR2);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
	d->holds_signals = hold;
}

static void on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	struct daemon *d = container_of(w, struct daemon, takeover);
	bool ready = d->holds_signals;
	if (d->stopping) {
		hold_signals(d, false);
		return; /* we end without it */
	}
	if (ready) {
		outputs_settle(&d->outputs, false);
		sparefd_give(&d->server.spare); /* there may be no other one */
		link_become_keeper(&d->link, d->own_log_fd, deposit_all, d);
	}
	hold_signals(d, !ready); /* first one turn for those that came already */
	ev_timer_set(w, ready ? RETRY : 0., 0.);
	ev_timer_start(loop, w);
}

void takeover_init(struct daemon *d)
{
	ev_timer_init(&d->takeover, on_due, 0., 0.);
}

void takeover_begin(struct daemon *d)
{
	ev_timer_start(d->loop, &d->takeover);
}

void takeover_finish(struct daemon *d)
{
	ev_timer_stop(d->loop, &d->takeover);
}
