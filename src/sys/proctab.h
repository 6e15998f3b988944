/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_PROCTAB_H
#define PMCTL_SYS_PROCTAB_H
/*
 * proctab - one snapshot of all processes, for many questions.
 *
 * One pass over /proc serves the figures of every instance and the search for their trees. Keep the
 * struct and read into it again: memory and the environments looked at before are reused. A
 * snapshot is not taken at one instant: a process that forks and exits quickly can be missed in it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_row {
	pid_t pid, ppid, pgrp, session;
	uint32_t mark; /* scratch of sys/tree.c */
	uint64_t starttime;
	uint64_t cpu_ticks;    /* its own */
	uint64_t waited_ticks; /* of children waited for */
	uint64_t rss_pages;
	uint32_t threads;
	char state;
};

/* What an environment said, remembered so that each process is looked at once. */
struct proc_env_note {
	pid_t pid;
	uint64_t starttime;
	char value[24]; /* "" = not set, or we may not know */
};

struct proc_table {
	struct proc_row *row; /* by pid */
	size_t n, cap;
	uint32_t *by_parent;  /* indexes into row, by (ppid, pid) */
	uint32_t *by_session; /* indexes into row, by (session, pid) */
	uint64_t serial;      /* counts the snapshots */
	uint64_t ticks;	      /* when the snapshot was begun (proc_now_ticks()) */
	uint32_t mark;	      /* scratch of sys/tree.c */
	struct proc_env_note *note;
	size_t notes, note_cap;
};

/* Take a snapshot. False (errno) if /proc cannot be read; the table is empty then. */
bool proc_table_read(struct proc_table *t);
void proc_table_finish(struct proc_table *t);

/* The row of a pid, NULL if there is none. */
struct proc_row *proc_table_find(const struct proc_table *t, pid_t pid);
/* First position in by_parent or by_session of the rows of this parent or session, and their count.
 */
size_t proc_table_children(const struct proc_table *t, pid_t ppid, size_t *first);
size_t proc_table_session(const struct proc_table *t, pid_t session, size_t *first);

/* PMCTL_ID in the environment of the row's process; "" if not set. Valid until the next call. */
const char *proc_table_env_id(struct proc_table *t, const struct proc_row *row);

#endif
