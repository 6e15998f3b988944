/* SPDX-License-Identifier: MIT */
#include "sys/proctab.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sys/proc.h"

static bool add_row(pid_t pid, void *arg)
{
	struct proc_table *t = arg;
	struct proc_stat st;
	if (!proc_read_stat(pid, &st)) {
		return true;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 256;
		t->row = xreallocarray(t->row, t->cap, sizeof(*t->row));
	}
	t->row[t->n++] = (struct proc_row){
		.pid = st.pid,
		.ppid = st.ppid,
		.pgrp = st.pgrp,
		.session = st.session,
		.starttime = st.starttime,
		.cpu_ticks = st.utime + st.stime,
		.waited_ticks = st.cutime + st.cstime,
		.rss_pages = st.rss_pages,
		.threads = st.threads > 0 ? (uint32_t)st.threads : 0,
		.state = st.state,
	};
	return true;
}

static int compare_pid(const void *a, const void *b)
{
	const struct proc_row *x = a, *y = b;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Keys are compared with the index behind them, so equal ones stay in the order of the pids. */
static int compare_key(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static uint32_t *make_index(const struct proc_table *t, uint32_t *index, bool by_session)
{
	uint64_t *key = xreallocarray(NULL, t->n, sizeof(*key));
	for (size_t i = 0; i < t->n; i++) {
		pid_t v = by_session ? t->row[i].session : t->row[i].ppid;
		key[i] = (uint64_t)(uint32_t)v << 32 | i;
	}
	qsort(key, t->n, sizeof(*key), compare_key);
	index = xreallocarray(index, t->n, sizeof(*index));
	for (size_t i = 0; i < t->n; i++) {
		index[i] = (uint32_t)key[i];
	}
	free(key);
	return index;
}

/* readdir() of /proc gives pids in order and once; only a strange /proc would not. */
static void sort_rows(struct proc_table *t)
{
	for (size_t i = 1; i < t->n; i++) {
		if (t->row[i - 1].pid >= t->row[i].pid) {
			qsort(t->row, t->n, sizeof(*t->row), compare_pid);
			return;
		}
	}
}

/* Forget notes about processes that are gone, so that there are never more notes than processes. */
static void prune_notes(struct proc_table *t)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->notes; i++) {
		const struct proc_row *r = proc_table_find(t, t->note[i].pid);
		if (r && r->starttime == t->note[i].starttime) {
			t->note[kept++] = t->note[i];
		}
	}
	t->notes = kept;
}

bool proc_table_read(struct proc_table *t)
{
	t->n = 0;
	t->mark = 0;
	t->serial++;
	t->ticks = proc_now_ticks();
	bool ok = proc_for_each_pid(add_row, t);
	sort_rows(t);
	t->by_parent = make_index(t, t->by_parent, false);
	t->by_session = make_index(t, t->by_session, true);
	prune_notes(t);
	return ok;
}

void proc_table_finish(struct proc_table *t)
{
	free(t->row);
	free(t->by_parent);
	free(t->by_session);
	free(t->note);
	*t = (struct proc_table){0};
}

struct proc_row *proc_table_find(const struct proc_table *t, pid_t pid)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->row[mid].pid < pid) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo < t->n && t->row[lo].pid == pid ? &t->row[lo] : NULL;
}

static pid_t key_of(const struct proc_table *t, const uint32_t *index, size_t i)
{
	const struct proc_row *r = &t->row[index[i]];
	return index == t->by_session ? r->session : r->ppid;
}

static size_t range(const struct proc_table *t, const uint32_t *index, pid_t key, size_t *first)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (key_of(t, index, mid) < key) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	*first = lo;
	while (hi < t->n && key_of(t, index, hi) == key) {
		hi++;
	}
	return hi - lo;
}

size_t proc_table_children(const struct proc_table *t, pid_t ppid, size_t *first)
{
	return range(t, t->by_parent, ppid, first);
}

size_t proc_table_session(const struct proc_table *t, pid_t session, size_t *first)
{
	return range(t, t->by_session, session, first);
}

/* Where the note of a pid is, or belongs. Notes are kept by pid. */
static size_t note_position(const struct proc_table *t, pid_t pid)
{
	size_t lo = 0, hi = t->notes;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->note[mid].pid < pid) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

const char *proc_table_env_id(struct proc_table *t, const struct proc_row *row)
{
	size_t at = note_position(t, row->pid);
	if (at < t->notes && t->note[at].pid == row->pid) {
		return t->note[at].value;
	}
	if (t->notes == t->note_cap) {
		t->note_cap = t->note_cap ? t->note_cap * 2 : 64;
		t->note = xreallocarray(t->note, t->note_cap, sizeof(*t->note));
	}
	memmove(&t->note[at + 1], &t->note[at], (t->notes - at) * sizeof(*t->note));
	t->notes++;
	struct proc_env_note *note = &t->note[at];
	*note = (struct proc_env_note){.pid = row->pid, .starttime = row->starttime};
	if (!proc_env_value(row->pid, "PMCTL_ID", note->value, sizeof(note->value)) ||
	    !proc_is(row->pid, row->starttime)) {
		note->value[0] = '\0';
	}
	return note->value;
}
