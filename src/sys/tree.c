/* SPDX-License-Identifier: MIT */
#include "sys/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/proc.h"

/* An empty session this long unseen may have a namesake by now: pids came round in 1.6 s. */
#define SESSION_TRUST_TICKS ((uint64_t)proc_ticks_per_second())

static bool is_alive(const struct proc_row *r)
{
	return r->state != 'Z' && r->state != 'X';
}

void tree_init(struct tree *t, pid_t main_pid, uint64_t starttime, const char *id, pid_t keeper)
{
	*t = (struct tree){.main_pid = main_pid, .starttime = starttime, .keeper = keeper};
	snprintf(t->id, sizeof(t->id), "%s", id ? id : "");
}

void tree_set_elder(struct tree *t, pid_t main_pid)
{
	t->elder = main_pid;
}

void tree_set_rival(struct tree *t, pid_t main_pid, uint64_t starttime)
{
	t->rival = main_pid;
	t->rival_start = starttime;
}

void tree_finish(struct tree *t)
{
	free(t->session);
	free(t->member);
	*t = (struct tree){0};
}

/* A row becomes a member once, and never if it is older than the instance, us, or the keeper. */
static void add_member(struct tree *t, const struct proc_table *tab, struct proc_row *r)
{
	if (r->mark == tab->mark || r->starttime < t->starttime || r->pid == getpid() ||
	    r->pid == t->keeper || r->pid <= 1) {
		return;
	}
	r->mark = tab->mark;
	if (t->members == t->member_cap) {
		t->member_cap = t->member_cap ? t->member_cap * 2 : 16;
		t->member = xreallocarray(t->member, t->member_cap, sizeof(*t->member));
	}
	t->member[t->members++] = (uint32_t)(r - tab->row);
}

/* Everything below the members from position `from` on. A child is never older than its parent. */
static void add_descendants(struct tree *t, const struct proc_table *tab, size_t from)
{
	for (size_t i = from; i < t->members; i++) {
		const struct proc_row *parent = &tab->row[t->member[i]];
		size_t first;
		size_t n = proc_table_children(tab, parent->pid, &first);
		for (size_t k = first; k < first + n; k++) {
			struct proc_row *child = &tab->row[tab->by_parent[k]];
			if (child->starttime >= parent->starttime) {
				add_member(t, tab, child);
			}
		}
	}
}

static bool is_same_session(const struct proc_table *tab, const struct tree_session *s)
{
	const struct proc_row *w = proc_table_find(tab, s->witness);
	if (w && w->starttime == s->witness_start && w->session == s->sid) {
		return true;
	}
	const struct proc_row *leader = proc_table_find(tab, s->sid);
	if (leader && leader->starttime > s->seen) {
		return false;
	}
	return tab->ticks - s->seen <= SESSION_TRUST_TICKS;
}

/* A session of ours can only hold our processes; still, one that carries another id is not ours. */
static bool carries_other_id(const struct tree *t, struct proc_table *tab, const struct proc_row *r)
{
	const char *id = t->id[0] ? proc_table_env_id(tab, r) : "";
	return id[0] && strcmp(id, t->id) != 0;
}

static void add_session_members(struct tree *t, struct proc_table *tab)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->sessions; i++) {
		struct tree_session s = t->session[i];
		if (!is_same_session(tab, &s)) {
			continue;
		}
		t->session[kept++] = s;
		size_t first;
		size_t n = proc_table_session(tab, s.sid, &first);
		for (size_t k = first; k < first + n; k++) {
			struct proc_row *r = &tab->row[tab->by_session[k]];
			if (r->mark != tab->mark && !carries_other_id(t, tab, r)) {
				add_member(t, tab, r);
			}
		}
	}
	t->sessions = kept;
}

static bool is_rivals(const struct tree *t, const struct proc_row *r)
{
	return r->pid == t->elder ||
	       (t->rival && (r->pid == t->rival || r->starttime > t->rival_start));
}

static void add_orphans(struct tree *t, struct proc_table *tab)
{
	if (t->keeper <= 0 || !t->id[0]) {
		return;
	}
	size_t first;
	size_t n = proc_table_children(tab, t->keeper, &first);
	for (size_t k = first; k < first + n; k++) {
		struct proc_row *r = &tab->row[tab->by_parent[k]];
		if (r->mark != tab->mark && r->starttime >= t->starttime && !is_rivals(t, r) &&
		    strcmp(proc_table_env_id(tab, r), t->id) == 0) {
			add_member(t, tab, r);
		}
	}
}

/* Sessions that hold others than the instance: ours, the keeper's, and the one the main process was
 * born into, if it did not begin its own. */
static bool is_foreign_session(const struct tree *t, const struct proc_table *tab, pid_t sid)
{
	const struct proc_row *keeper = proc_table_find(tab, t->keeper);
	const struct proc_row *main_row = proc_table_find(tab, t->main_pid);
	return sid <= 1 || sid == getsid(0) || (keeper && keeper->session == sid) ||
	       (main_row && main_row->starttime == t->starttime && main_row->session == sid &&
		sid != t->main_pid);
}

static bool has_session(const struct tree *t, pid_t sid)
{
	for (size_t i = 0; i < t->sessions; i++) {
		if (t->session[i].sid == sid) {
			return true;
		}
	}
	return false;
}

static void note_session(struct tree *t, const struct proc_table *tab, const struct proc_row *r)
{
	struct tree_session now = {r->session, r->pid, r->starttime, tab->ticks};
	for (size_t i = 0; i < t->sessions; i++) {
		struct tree_session *s = &t->session[i];
		if (s->sid != r->session) {
			continue;
		}
		/* The first, oldest member of a scan is likely to stay longest. */
		if (s->seen != tab->ticks || r->starttime < s->witness_start) {
			*s = now;
		}
		return;
	}
	if (is_foreign_session(t, tab, r->session)) {
		return;
	}
	if (t->sessions == t->session_cap) {
		t->session_cap = t->session_cap ? t->session_cap * 2 : 4;
		t->session = xreallocarray(t->session, t->session_cap, sizeof(*t->session));
	}
	t->session[t->sessions++] = now;
}

size_t tree_scan(struct tree *t, struct proc_table *tab)
{
	tab->mark++;
	t->members = 0;
	struct proc_row *main_row = proc_table_find(tab, t->main_pid);
	if (main_row && main_row->starttime == t->starttime) {
		add_member(t, tab, main_row);
		add_descendants(t, tab, 0);
	}
	size_t before = t->members;
	add_session_members(t, tab);
	add_orphans(t, tab);
	add_descendants(t, tab, before);
	size_t alive = 0;
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *r = &tab->row[t->member[i]];
		note_session(t, tab, r);
		alive += is_alive(r);
	}
	if (alive) {
		t->quiet = 0;
	} else if (t->serial != tab->serial) {
		t->quiet++;
	}
	t->serial = tab->serial;
	return alive;
}

void tree_sum(struct tree *t, struct proc_table *tab, struct tree_sum *out)
{
	struct tree_sum sum = {0};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	tree_scan(t, tab);
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *r = &tab->row[t->member[i]];
		/* A zombie's time is not in its parent's account yet. */
		sum.cpu_ticks += r->cpu_ticks + r->waited_ticks;
		if (is_alive(r)) {
			sum.rss_bytes += r->rss_pages * page;
			sum.threads += r->threads;
			sum.nproc++;
		}
	}
	*out = sum;
}

bool tree_signal_pid(pid_t pid, uint64_t starttime, int sig)
{
	if (pid <= 1) {
		return false;
	}
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		/* Out of descriptors: /proc needs one too, so there is no way to be sure. */
		return false;
	}
	bool sent =
		proc_is(pid, starttime) && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
	close(fd);
	return sent;
}

size_t tree_signal(struct tree *t, struct proc_table *tab, int sig, enum tree_mode mode)
{
	size_t sent = 0;
	tree_scan(t, tab);
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *r = &tab->row[t->member[i]];
		bool wanted = mode == TREE_ALL || (mode == TREE_GROUP && r->pgrp == t->main_pid) ||
			      r->pid == t->main_pid;
		if (wanted && is_alive(r)) {
			sent += tree_signal_pid(r->pid, r->starttime, sig);
		}
	}
	return sent;
}

/* Killing a group is atomic against fork, walking is not, and a zombie still names the group of the
 * processes that ran away from it. Sessions that look empty are killed too while they can be
 * trusted: the walk may just have missed who is in them. */
static void kill_groups(const struct tree *t, const struct proc_table *tab)
{
	if (proc_now_ticks() - tab->ticks > SESSION_TRUST_TICKS) {
		return;
	}
	for (size_t i = 0; i < t->sessions; i++) {
		kill(-t->session[i].sid, SIGKILL);
	}
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *r = &tab->row[t->member[i]];
		if (r->pgrp > 1 && r->pgrp != r->session && has_session(t, r->session) &&
		    getsid(r->pid) == r->session) {
			kill(-r->pgrp, SIGKILL);
		}
	}
}

size_t tree_kill_round(struct tree *t, struct proc_table *tab)
{
	size_t alive = tree_scan(t, tab);
	kill_groups(t, tab);
	for (size_t i = 0; i < t->members; i++) {
		const struct proc_row *r = &tab->row[t->member[i]];
		if (is_alive(r)) {
			tree_signal_pid(r->pid, r->starttime, SIGKILL);
		}
	}
	return alive;
}

bool tree_is_gone(const struct tree *t)
{
	return t->quiet >= 2;
}

bool tree_kill(struct tree *t, struct proc_table *tab, unsigned max_rounds)
{
	t->quiet = 0;
	for (unsigned i = 0; i < max_rounds && !tree_is_gone(t); i++) {
		if (i) {
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
		proc_table_read(tab);
		tree_kill_round(t, tab);
	}
	return tree_is_gone(t);
}
