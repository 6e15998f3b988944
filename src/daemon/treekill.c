/* SPDX-License-Identifier: MIT */
#include "daemon/treekill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "daemon/daemon.h"
#include "daemon/runner.h"
#include "sys/listening.h"
#include "sys/proc.h"
#include "sys/proctab.h"

/* Rounds of the walk in one go; what is left then is met again a few milliseconds later. */
#define KILL_ROUNDS 3

void treekill_begin(struct inst *in)
{
	char id[TREE_ID_MAX];
	snprintf(id, sizeof(id), "%llu", (unsigned long long)in->id);
	tree_finish(&in->tree);
	in->group_killed = false;
	/* One that was gone before we could look: nothing from before is of it. */
	uint64_t start = in->starttime ? in->starttime : proc_now_ticks();
	tree_init(&in->tree, in->pid, start, id, in->app->daemon->link.ring->keeper_pid);
	if (in->twin) {
		tree_set_elder(&in->tree, in->twin->pid);
	}
}

bool treekill_main(const struct inst *in, int sig)
{
	if (in->pidfd < 0 || in->exited) {
		errno = ESRCH;
		return false;
	}
	return syscall(SYS_pidfd_send_signal, in->pidfd, sig, NULL, 0) == 0;
}

/* Of all processes, younger than what happened to the instance last. When many die at once one
 * serves them all. */
static struct proc_table *snapshot(struct inst *in)
{
	struct daemon *d = in->app->daemon;
	unsigned turn = ev_iteration(d->loop);
	if (d->processes_turn != turn || d->processes_mono_ms <= in->changed_mono_ms) {
		d->processes_turn = turn;
		d->processes_mono_ms = clock_mono_ms();
		proc_table_read(&d->processes);
	}
	return &d->processes;
}

/* Whether the main process is dead and its group, which is numbered like it, is not. One that forks
 * and ends all the time is in no list of processes, but a group is signalled as a whole. Nobody
 * else can have the number while the group has a member; if somebody has it, there is none. */
static bool is_group_left(const struct inst *in)
{
	struct proc_stat st;
	return in->exited && !in->group_killed && in->pid > 1 && kill(-in->pid, 0) == 0 &&
	       (!proc_read_stat(in->pid, &st) || st.starttime == in->starttime);
}

static void signal_tree(struct inst *in, int sig)
{
	if (in->cgroup_fd >= 0) {
		if (sig == SIGKILL) {
			in->cgroup_spent = true;
			cgroup_kill(in->cgroup_fd);
		} else {
			cgroup_signal(in->cgroup_fd, sig);
		}
	} else if (sig == SIGKILL) {
		if (is_group_left(in)) {
			kill(-in->pid, SIGKILL);
			in->group_killed = true; /* nothing forked survives; zombies may stay */
		}
		tree_kill(&in->tree, snapshot(in), KILL_ROUNDS);
	} else {
		struct proc_table *tab = snapshot(in);
		tree_scan(&in->tree, tab);
		tree_signal(&in->tree, tab, sig, TREE_ALL);
	}
}

void treekill_signal(struct inst *in, int sig)
{
	in->changed_mono_ms = clock_mono_ms();
	switch (in->app->conf.kill_mode) {
	case KILL_TREE:
		signal_tree(in, sig);
		break;
	case KILL_GROUP:
		/* The group is numbered like the main process; after that is gone, as long as the
		 * group has a member, nobody else can have its number. */
		if (in->pid > 1) {
			kill(-in->pid, sig);
		}
		break;
	case KILL_PROCESS:
		treekill_main(in, sig);
		break;
	}
	if (sig != SIGKILL && in->pidfd >= 0) {
		treekill_main(in, SIGCONT); /* a stopped process takes its signal only then */
	}
}

enum tree_left treekill_left(struct inst *in)
{
	if (!in->pid || in->app->conf.kill_mode == KILL_PROCESS) {
		return TREE_GONE;
	}
	if (in->app->conf.kill_mode == KILL_GROUP) {
		return kill(-in->pid, 0) == 0 ? TREE_ALIVE : TREE_GONE;
	}
	if (in->cgroup_fd >= 0) {
		return cgroup_populated(in->cgroup_fd) ? TREE_ALIVE : TREE_GONE;
	}
	if (tree_scan(&in->tree, snapshot(in)) > 0 || is_group_left(in)) {
		return TREE_ALIVE;
	}
	return tree_is_gone(&in->tree) ? TREE_GONE : TREE_LOOK_AGAIN;
}

bool treekill_was_oom(const struct inst *in)
{
	char text[512];
	int fd = in->cgroup_fd < 0 ? -1
				   : openat(in->cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "oom_kill ");
	return line && line[9] != '0';
}

struct listen_search {
	bool found;
};

static bool look(pid_t pid, void *arg)
{
	struct listen_search *s = arg;
	s->found = listening_has(pid);
	return !s->found;
}

bool treekill_is_listening(struct inst *in)
{
	struct listen_search s = {false};
	if (in->cgroup_fd >= 0) {
		cgroup_pids(in->cgroup_fd, look, &s);
		return s.found;
	}
	struct proc_table *tab = snapshot(in);
	tree_scan(&in->tree, tab);
	for (size_t i = 0; i < in->tree.members && !s.found; i++) {
		look(tab->row[in->tree.member[i]].pid, &s);
	}
	return s.found;
}
