/* SPDX-License-Identifier: MIT */
#include "daemon/reap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"
#include "daemon/daemon.h"
#include "daemon/launch.h"
#include "daemon/listen.h"
#include "daemon/orphans.h"
#include "daemon/runner.h"
#include "daemon/treekill.h"
#include "daemon/workers.h"
#include "sys/proc.h"

#define TREE_POLL 0.01
#define TREE_SOON 0.001

static uint32_t random32(void)
{
	static uint64_t state;
	if (!state) {
		state = (uint64_t)clock_real_ms() * 2654435761u + (uint64_t)getpid();
	}
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* "exited 1 after 0.4s, before it was ready" */
static void describe_end(const struct inst *in, int64_t uptime, enum inst_event ev, char *out,
			 size_t cap)
{
	char how[80], age[24];
	if (in->start_error[0]) {
		snprintf(out, cap, "%s", in->start_error);
	} else if (in->replaced_why) {
		units_format_age(uptime, age, sizeof(age));
		snprintf(out, cap, "%s after %s", in->replaced_why, age);
	} else if (in->listen_error[0] && !in->ready && in->state != ST_STOPPING) {
		snprintf(out, cap, "%s", in->listen_error);
	} else {
		exit_status_text(&in->status, how, sizeof(how));
		bool sent = in->status.signal && in->status.signal == in->signalled;
		units_format_age(uptime, age, sizeof(age));
		/* One that ended well and is not to run again has done its work. */
		bool early = !in->ready && in->state != ST_STOPPING && ev != EV_EXIT_DONE;
		snprintf(out, cap, "%s%s after %s%s", how, sent ? " (pmctl signal)" : "", age,
			 early ? ", before it was ready" : "");
	}
}

/* Who or what is behind it, in a word. */
static const char *cause_of(const struct inst *in, enum inst_event ev)
{
	if (in->start_error[0]) {
		return in->stop_failed ? "not-ready" : "start";
	}
	if (in->replaced_why) {
		return strstr(in->replaced_why, "memory") ? "memory" : "health";
	}
	if (ev == EV_GONE || ev == EV_GONE_AGAIN) {
		return "asked";
	}
	return in->role == ROLE_TRIAL		   ? "trial"
	       : in->listen_error[0] && !in->ready ? "listen"
	       : in->status.oom			   ? "oom"
	       : in->status.signal		   ? "signal"
						   : "exit";
}

static enum event_next next_of(enum inst_event ev)
{
	return ev == EV_EXIT_NOW || ev == EV_GONE_AGAIN ? NEXT_NOW
	       : ev == EV_EXIT_RETRY			? NEXT_RETRY
	       : ev == EV_EXIT_GIVE_UP			? NEXT_GAVE_UP
							: NEXT_NOTHING;
}

static void tell(const struct inst *in, enum inst_event ev, int64_t uptime, const char *text)
{
	struct event_exit x = {
		.known = in->pid && in->status.known,
		.code = in->status.code,
		.signal = in->status.signal,
		.core = in->status.core,
		.oom = in->status.oom,
		.ready = in->ready,
		.up_ms = in->pid ? uptime : 0,
		.next = next_of(ev),
		.delay_ms = ev == EV_EXIT_RETRY ? in->next_delay_ms : 0,
	};
	bool failed = ev == EV_EXIT_GIVE_UP || in->start_error[0];
	snprintf(x.cause, sizeof(x.cause), "%s", cause_of(in, ev));
	events_add_exit(&in->app->daemon->events, in->app->conf.name, in->slot,
			failed ? "failed" : "exit", &x, text);
}

/* The same and "; next try in 100ms". */
static void describe(const struct inst *in, const char *how, enum inst_event ev, char *out,
		     size_t cap)
{
	char wait[24];
	const struct app_conf *c = &in->app->conf;
	switch (ev) {
	case EV_EXIT_NOW:
		snprintf(out, cap, "%.220s; started again at once", how);
		break;
	case EV_EXIT_RETRY:
		units_format_duration(in->next_delay_ms, wait, sizeof(wait));
		snprintf(out, cap, "%.220s; next try in %s", how, wait);
		break;
	case EV_EXIT_GIVE_UP:
		if (c->autorestart == RESTART_NEVER) {
			snprintf(out, cap, "%.270s", how);
			break;
		}
		units_format_duration(c->restart_window_ms, wait, sizeof(wait));
		snprintf(out, cap, "%.200s; gave up after %d restart%s in %s", how, c->max_restarts,
			 c->max_restarts == 1 ? "" : "s", wait);
		break;
	default:
		snprintf(out, cap, "%.270s", how);
	}
}

static enum inst_event classify(struct inst *in, int64_t uptime)
{
	if (in->state == ST_STOPPING && !in->stop_failed) {
		return in->again && in->wanted ? EV_GONE_AGAIN : EV_GONE;
	}
	if (!in->wanted) {
		return in->state == ST_STOPPING ? EV_GONE : EV_EXIT_DONE;
	}
	if (in->role != ROLE_SLOT) {
		return EV_EXIT_DONE; /* one try */
	}
	struct exit_status st = in->status;
	if (in->start_error[0] || in->replaced_why) {
		st = (struct exit_status){.known = true,
					  .code = 255}; /* a failure, whatever it was */
	}
	enum inst_event ev =
		policy_exit(&in->app->conf, &in->history, &st, in->start_error[0] ? 0 : uptime,
			    clock_mono_ms(), random32(), &in->next_delay_ms);
	/* What never ran is not done, also where it is not to be tried again. */
	return ev == EV_EXIT_DONE && in->start_error[0] ? EV_EXIT_GIVE_UP : ev;
}

/* Nothing of the process is left: tell the world, then the table. */
static void finish(struct inst *in)
{
	int64_t uptime = inst_uptime_ms(in);
	enum inst_event ev = classify(in, uptime);
	char how[400], text[LIMIT_EVENT_TEXT];
	describe_end(in, uptime, ev, how, sizeof(how));
	describe(in, how, ev, text, sizeof(text));
	if (in->pid) {
		in->last_exit = in->status;
		in->last_exit_real_ms = clock_real_ms();
		in->last_exit_asked = ev == EV_GONE || ev == EV_GONE_AGAIN;
		in->has_exited = true;
	}
	if (ev == EV_EXIT_NOW) {
		in->restarts++; /* after a wait: when it is over */
	}
	bool asked = ev == EV_GONE || ev == EV_GONE_AGAIN;
	tally_ended(in, asked);
	tell(in, ev, uptime, text);
	/* How long it waits is told beside the note, and counts down. */
	runner_note(in, asked ? NULL : ev == EV_EXIT_RETRY ? how : text);
	launch_release(in);
	runner_event(in, ev);
}

/* The main process is gone; is its tree? On a stop it may take its time, else it goes now. */
static void check_tree(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	enum tree_left left = treekill_left(in);
	if (left == TREE_ALIVE && (in->state != ST_STOPPING || in->killed)) {
		treekill_signal(in, SIGKILL);
		left = treekill_left(in);
	}
	if (left == TREE_GONE && !orphans_must_wait(in)) {
		finish(in);
		return;
	}
	ev_timer_stop(d->loop, &in->tree_timer);
	ev_timer_set(&in->tree_timer, left == TREE_LOOK_AGAIN ? TREE_SOON : TREE_POLL, 0.);
	ev_timer_start(d->loop, &in->tree_timer);
}

void reap_on_tree_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	check_tree(container_of(w, struct inst, tree_timer));
}

static void main_exited(struct inst *in, int status, bool known, int64_t died_mono_ms)
{
	struct daemon *d = in->app->daemon;
	if (in->exited) {
		return;
	}
	in->exited = true;
	in->changed_mono_ms = died_mono_ms;
	in->status = exit_status_decode(status);
	in->status.known = known;
	in->status.oom = in->status.signal == SIGKILL && treekill_was_oom(in);
	list_remove(&in->pid_node);
	ev_io_stop(d->loop, &in->pid_io);
	ev_timer_stop(d->loop, &in->ready_timer);
	launch_read_report(in);
	listen_end_use(in);
	workers_drain(in);
	if (in->out) {
		output_drain(in->out);
	}
	if (in->err) {
		output_drain(in->err);
	}
	check_tree(in);
}

static struct inst *find_pid(struct daemon *d, pid_t pid)
{
	struct list *head = &d->by_pid[(unsigned)pid % ARRAY_LEN(d->by_pid)];
	struct inst *in, *next;
	list_for_each(in, next, head, pid_node)
	{
		if (in->pid == pid) {
			return in;
		}
	}
	return NULL;
}

void reap_record(struct daemon *d, const struct ring_record *rec)
{
	struct inst *in = find_pid(d, rec->pid);
	/* A pid that was used before: the start time tells. 0 = it could not be read. */
	if (in && (!rec->starttime || !in->starttime || rec->starttime == in->starttime)) {
		main_exited(in, rec->status, true, rec->mono_ms);
	}
}

void reap_lost(struct inst *in)
{
	int status = 0;
	in->lost = false;
	bool known = in->pidfd >= 0 && proc_pidfd_exit(in->pidfd, &status);
	main_exited(in, status, known, clock_mono_ms());
}

void reap_start_failed(struct inst *in, bool no_room)
{
	in->status = (struct exit_status){.known = false};
	if (no_room && in->wanted && in->role == ROLE_SLOT) {
		in->next_delay_ms =
			policy_delay(&in->app->conf, in->history.in_a_row++, random32());
		runner_note(in, in->start_error);
		tell(in, EV_EXIT_RETRY, 0, in->start_error);
		launch_release(in);
		runner_event(in, EV_EXIT_RETRY);
		return;
	}
	finish(in);
}

/* Without a keeper: a child of our own can be waited for; of others the zombie's stat tells. */
static bool read_status(const struct inst *in, int *status)
{
	struct proc_stat st;
	if (waitpid(in->pid, status, WNOHANG) == in->pid) {
		return true;
	}
	if (proc_read_stat(in->pid, &st) && st.starttime == in->starttime && st.state == 'Z') {
		*status = st.exit_code;
		return true;
	}
	return proc_pidfd_exit(in->pidfd, status);
}

void reap_on_pidfd(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)revents;
	struct inst *in = container_of(w, struct inst, pid_io);
	int status = 0;
	ev_io_stop(loop, w);
	bool known = read_status(in, &status);
	main_exited(in, status, known, clock_mono_ms());
}

static void pidfd_name(const struct inst *in, char name[KEEPER_NAME])
{
	snprintf(name, KEEPER_NAME, "pid.%llu-%u", (unsigned long long)in->id, in->run);
}

void reap_deposit(struct inst *in)
{
	char name[KEEPER_NAME];
	if (in->pidfd >= 0) {
		pidfd_name(in, name);
		link_deposit(&in->app->daemon->link, name, in->pidfd);
	}
}

void reap_take_pidfd(struct inst *in, int fd)
{
	in->foreign = true;
	if (in->pidfd < 0) {
		in->pidfd = fd; /* of one that is gone: it was too late to open it by its pid */
	} else {
		close(fd);
	}
}

void reap_forget(struct inst *in)
{
	char name[KEEPER_NAME];
	ev_io_stop(in->app->daemon->loop, &in->pid_io);
	list_remove(&in->pid_node);
	if (in->pidfd >= 0) {
		close(in->pidfd);
		in->pidfd = -1;
	}
	if (in->foreign) {
		pidfd_name(in, name);
		link_drop(&in->app->daemon->link, name);
		in->foreign = false;
	}
}

void reap_watch(struct inst *in)
{
	if (!in->foreign) {
		in->foreign = true;
		reap_deposit(in);
	}
	if (in->pidfd >= 0 && !in->exited) {
		ev_io_set(&in->pid_io, in->pidfd, EV_READ);
		ev_io_start(in->app->daemon->loop, &in->pid_io);
	}
}

void reap_watch_all(struct daemon *d)
{
	log_line("the keeper is gone; watching the apps myself");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < ARRAY_LEN(d->by_pid); i++) {
		struct inst *in, *next;
		list_for_each(in, next, &d->by_pid[i], pid_node)
		{
			reap_watch(in);
		}
	}
}
