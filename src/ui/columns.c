/* SPDX-License-Identifier: MIT */
#include "ui/columns.h"

#include <stddef.h>

#define NAME_LEAST 4
#define NOTE_KEEPS 12 /* of the room of the notes that long names may not take */

const struct column_info columns_info[COL_COUNT] = {
	[COL_STATE] = {"STATE", "what it does", 12, false, SORT_STATE, 0},
	[COL_CPU] = {"CPU", "percent of one core", 4, true, SORT_CPU, 3},
	[COL_MEM] = {"MEM", "memory of the whole tree", 6, true, SORT_MEM, 5},
	[COL_NOTE] = {"NOTE", "why it is not simply fine", 7, false, SORT_ORDER, 16},
	[COL_UP] = {"UP", "how long it runs", 5, true, SORT_UP, 1},
	[COL_RST] = {"RST", "restarts", 3, true, SORT_RESTARTS, 2},
	[COL_CPU_SPARK] = {NULL, "CPU over time", 0, false, SORT_CPU, 4},
	[COL_MEM_SPARK] = {NULL, "memory over time", 0, false, SORT_MEM, 6},
	[COL_PID] = {"PID", "process id", 5, true, SORT_ORDER, 7},
	[COL_FD] = {"FD", "open descriptors", 3, true, SORT_ORDER, 8},
	[COL_THR] = {"THR", "threads", 3, true, SORT_ORDER, 9},
	[COL_IO] = {"IO/s", "bytes read and written a second", 6, true, SORT_ORDER, 10},
	[COL_READY] = {"READY", "whether it said or showed so", 5, true, SORT_ORDER, 11},
	[COL_ID] = {"ID", "number of the instance", 3, true, SORT_ORDER, 12},
	[COL_USER] = {"USER", "whose process it is", 8, false, SORT_ORDER, 13},
	[COL_LIMIT] = {"LIMIT", "memory_max", 5, true, SORT_ORDER, 14},
	[COL_EXIT] = {"EXIT", "how it ended last", 12, false, SORT_ORDER, 15},
};

/* What the sizes differ in. */
static const struct form {
	int name_x, name, gap, note, cells;
	int cpu_per, mem_per;
	const char *cpu_span, *mem_span;
} forms[] = {
	[LAYOUT_COMPACT] = {3, 12, 1, 7, 8, 8, 8, "60 s", "15 min"},
	[LAYOUT_NORMAL] = {5, 13, 1, 7, 8, 8, 8, "60 s", "15 min"},
	[LAYOUT_WIDE] = {5, 15, 2, 18, 12, 10, 5, "2 min", "15 min"},
	[LAYOUT_HUGE] = {5, 19, 2, 50, 24, 13, 10, "5 min", "60 min"},
};

static int max(int a, int b)
{
	return a > b ? a : b;
}

static int width_of(const struct form *f, enum column_id id, const int *need)
{
	if (id == COL_CPU_SPARK || id == COL_MEM_SPARK) {
		return f->cells;
	}
	if (id == COL_NOTE) {
		return f->note;
	}
	int least = id == COL_MEM && f->name_x == 3 ? 5 : columns_info[id].width;
	return id == COL_EXIT || id == COL_USER ? least : max(least, need[id]);
}

static int gap_of(const struct form *f, enum column_id id)
{
	bool compact = f->name_x == 3;
	if (id == COL_CPU_SPARK || id == COL_MEM_SPARK) {
		return 1;
	}
	return id == COL_RST || (compact && id == COL_MEM) ? 2 : id == COL_STATE ? 1 : f->gap;
}

/* Which ones: a bit each; *used grows by what they take. */
static unsigned choose(const struct form *f, int width, unsigned wanted, const int *need, int *used)
{
	unsigned chosen = 1u << COL_STATE;
	*used += gap_of(f, COL_STATE) + width_of(f, COL_STATE, need);
	for (int id = COL_STATE + 1; id < COL_COUNT; id++) {
		int more = gap_of(f, (enum column_id)id) + width_of(f, (enum column_id)id, need);
		if (wanted && !(wanted & 1u << id)) {
			continue;
		}
		if (*used + more > width) {
			break;
		}
		*used += more;
		chosen |= 1u << id;
	}
	return chosen;
}

/* From left to right. */
static void place(struct columns *c, const struct form *f, unsigned chosen, const int *need,
		  int note_w)
{
	int x = c->name_x + c->name_w;
	for (int at = 0; at < COL_COUNT; at++) {
		for (int id = 0; id < COL_COUNT; id++) {
			if (columns_info[id].place != at || !(chosen & 1u << id)) {
				continue;
			}
			int w = id == COL_NOTE ? note_w : width_of(f, (enum column_id)id, need);
			x += gap_of(f, (enum column_id)id);
			c->v[c->n++] = (struct column_at){(enum column_id)id, x, w};
			x += w;
		}
	}
}

/* Cells that the names get, or give up (negative). */
static int longer_by(int wish, int spare, int note)
{
	int most = note ? max(0, note + spare - NOTE_KEEPS) * 2 / 3 : spare;
	return spare < 0 ? spare : wish <= 0 ? 0 : wish < most ? wish : most;
}

void columns_fit(struct columns *c, enum layout_size size, int width, unsigned wanted,
		 const int need[COL_COUNT + 1])
{
	const struct form *f = &forms[size < LAYOUT_COMPACT ? LAYOUT_COMPACT : size];
	int used = f->name_x + f->name;
	*c = (struct columns){.size = size,
			      .name_x = f->name_x,
			      .name_w = f->name,
			      .cells = f->cells,
			      .cpu_per = f->cpu_per,
			      .mem_per = f->mem_per,
			      .cpu_span = f->cpu_span,
			      .mem_span = f->mem_span};
	unsigned chosen = choose(f, width, wanted, need, &used);
	int spare = width - used;
	int note = chosen & 1u << COL_NOTE ? f->note : 0;
	c->name_w += longer_by(need[COL_COUNT] - f->name, spare, note);
	c->name_w = max(NAME_LEAST, c->name_w);
	/* the notes get what is left, or give what the names took */
	place(c, f, chosen, need, note + width - used - (c->name_w - f->name));
}

enum rows_sort columns_sort_at(const struct columns *c, int x)
{
	if (x < c->name_x + c->name_w) {
		return SORT_APP;
	}
	for (int i = 0; i < c->n; i++) {
		if (x < c->v[i].x + c->v[i].w) {
			return columns_info[c->v[i].id].sort;
		}
	}
	return SORT_ORDER;
}
