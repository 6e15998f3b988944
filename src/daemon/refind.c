/* SPDX-License-Identifier: MIT */
#include "daemon/refind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/states.h"
#include "common/clock.h"
#include "common/log.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "sys/proc.h"

struct search {
	struct daemon *daemon;
	struct runtab *table;
	unsigned found;
};

/* What the environment of a process says that it is. */
struct claim {
	char app[LIMIT_NAME + 8];
	int slot;
	uint64_t id;
};

static bool read_number(pid_t pid, const char *name, uint64_t max, uint64_t *out)
{
	char text[24];
	char *end;
	if (!proc_env_value(pid, name, text, sizeof(text)) || text[0] < '0' || text[0] > '9') {
		return false;
	}
	*out = strtoull(text, &end, 10);
	return *end == '\0' && *out <= max;
}

static bool read_claim(pid_t pid, struct claim *c)
{
	uint64_t slot;
	if (!read_number(pid, "PMCTL_ID", INT64_MAX, &c->id) || c->id == 0 ||
	    !read_number(pid, "PMCTL_SLOT", LIMIT_INSTANCES_APP - 1, &slot) ||
	    !proc_env_value(pid, "PMCTL_APP", c->app, sizeof(c->app)) || !c->app[0] ||
	    strchr(c->app, '/')) {
		return false;
	}
	c->slot = (int)slot;
	return true;
}

/* The number at the end of its cgroup's name, if that is one of ours for this id. */
static bool read_cgroup_run(const struct daemon *d, pid_t pid, uint64_t id, unsigned *run)
{
	char leaf[64];
	unsigned long long of;
	return d->have_cgroup && cgroup_leaf_of(&d->cgroup, pid, leaf, sizeof(leaf)) &&
	       sscanf(leaf, "i%llu-%u", &of, run) == 2 && of == id;
}

/* The one in the slot is the one that began first; what a reload has put beside it ends. */
static void rank(struct runtab *t, struct runtab_rec *mine)
{
	for (size_t i = 0; i < runtab_capacity(t); i++) {
		struct runtab_rec *r = runtab_get(t, i);
		if (!r || r->slot != mine->slot || strcmp(r->app, mine->app) != 0) {
			continue;
		}
		if (!r->pid || (r->id == mine->id && r->extra[2] == mine->extra[2])) {
			runtab_free(r); /* not running, or a younger part of this one's tree */
		} else if (r->flags & RUNTAB_OTHER) {
			continue;
		} else if (r->starttime <= mine->starttime) {
			mine->flags |= RUNTAB_OTHER;
		} else {
			r->flags |= RUNTAB_OTHER;
		}
	}
}

/* Noted already, or only part of the tree of one that is: it left its session, and its parent died.
 * A successor has the same id too, but never the same cgroup. */
static bool is_noted(const struct runtab *t, const struct proc_stat *st, const struct claim *c,
		     unsigned cgroup_run)
{
	for (size_t i = 0; i < runtab_capacity(t); i++) {
		const struct runtab_rec *r = runtab_get(t, i);
		if (!r || (r->pid != st->pid && r->id != c->id)) {
			continue;
		}
		/* A live one without a pid: resume.c looks for it among the children. */
		if (r->pid == st->pid || (!r->pid && states_is_live(r->state)) ||
		    (r->pid && r->extra[2] == cgroup_run && r->starttime <= st->starttime)) {
			return true;
		}
	}
	return false;
}

static void note(struct search *s, const struct proc_stat *st, const struct claim *c,
		 unsigned cgroup_run)
{
	struct err err;
	struct runtab_rec *r = runtab_alloc(s->table, &err);
	if (!r) {
		log_line("run table: %s", err.msg);
		return;
	}
	uint64_t now = proc_now_ticks();
	int64_t age_ms = now > st->starttime
				 ? (int64_t)((now - st->starttime) * 1000 / proc_ticks_per_second())
				 : 0;
	snprintf(r->app, sizeof(r->app), "%s", c->app);
	r->slot = c->slot;
	r->id = c->id;
	r->pid = st->pid;
	r->starttime = st->starttime;
	r->state = ST_ONLINE; /* else it would have to say once more that it is ready */
	r->wanted = true;
	r->started_mono_ms = clock_mono_ms() - age_ms;
	r->started_real_ms = clock_real_ms() - age_ms;
	r->extra[2] = cgroup_run;
	rank(s->table, r);
	runtab_commit(r);
	runtab_reserve_id(s->table, r->id);
	s->found++;
	log_line("%s:%d: pid %d lives and is not in the run table: noted again", r->app, r->slot,
		 (int)r->pid);
}

static bool look_at(pid_t pid, void *arg)
{
	struct search *s = arg;
	struct claim c;
	struct proc_stat st;
	unsigned run = 0, of_parent;
	/* The stub makes each the leader of a session; what it has forked since is not. */
	if (!proc_read_stat(pid, &st) || st.session != pid || st.state == 'Z' ||
	    !read_claim(pid, &c)) {
		return true;
	}
	bool in_group = read_cgroup_run(s->daemon, pid, c.id, &run);
	bool is_child = st.ppid == (pid_t)s->daemon->link.ring->keeper_pid;
	bool is_orphan = in_group && !read_cgroup_run(s->daemon, st.ppid, c.id, &of_parent);
	if ((is_child || is_orphan) && proc_is(pid, st.starttime) &&
	    !is_noted(s->table, &st, &c, run)) {
		note(s, &st, &c, run);
	}
	return true;
}

unsigned refind_all(struct daemon *d, struct runtab *table)
{
	struct search s = {.daemon = d, .table = table};
	proc_for_each_pid(look_at, &s);
	return s.found;
}

static void learn(struct inst *in, unsigned long long id, unsigned run)
{
	/* No process of ours has run 0: refind_all() has noted it so. */
	if (in->id == id && in->rec && in->rec->extra[0] == 0 && run > in->run) {
		in->run = run;
	}
}

void refind_learn_run(struct daemon *d, const char *held)
{
	unsigned long long id;
	unsigned run;
	struct app *app, *next;
	struct inst *in, *after;
	const char *dot = strchr(held, '.');
	if (!dot || sscanf(dot, ".%llu-%u", &id, &run) != 2) {
		return;
	}
	list_for_each(app, next, &d->apps, node)
	{
		for (int i = 0; i < app->nslots; i++) {
			learn(app->slots[i], id, run);
		}
		list_for_each(in, after, &app->others, other_node)
		{
			learn(in, id, run);
		}
	}
}

static bool has_record(const struct daemon *d, pid_t pid)
{
	for (size_t i = 0; i < runtab_capacity(d->store.runtab); i++) {
		const struct runtab_rec *r = runtab_get(d->store.runtab, i);
		if (r && r->pid == pid) {
			return true;
		}
	}
	return false;
}

pid_t refind_unnoted(const struct inst *in, pid_t keeper)
{
	char id[24], want[24];
	pid_t *child = NULL;
	pid_t found = 0;
	snprintf(want, sizeof(want), "%llu", (unsigned long long)in->id);
	size_t n = proc_children(keeper, &child);
	for (size_t i = 0; i < n && !found; i++) {
		if (proc_env_value(child[i], "PMCTL_ID", id, sizeof(id)) && strcmp(id, want) == 0 &&
		    !has_record(in->app->daemon, child[i])) {
			found = child[i];
		}
	}
	free(child);
	return found;
}
