/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_COLUMNS_H
#define PMCTL_UI_COLUMNS_H
/*
 * columns - the columns of the list: what there are, which of them fit, and where. Pure.
 *
 * The table is in the order of rank: of those that are wanted the first ones that fit are shown,
 * but STATE always, and whole.
 */
#include "ui/layout.h"
#include "ui/rows.h"

enum column_id {
	COL_STATE,
	COL_CPU,
	COL_MEM,
	COL_NOTE,
	COL_UP,
	COL_RST,
	COL_CPU_SPARK,
	COL_MEM_SPARK,
	COL_PID,
	COL_FD,
	COL_THR,
	COL_IO,
	COL_READY,
	COL_ID,
	COL_USER,
	COL_LIMIT,
	COL_EXIT,
	COL_COUNT
};

struct column_info {
	const char *title; /* NULL for a spark: it names its span */
	const char *doc;   /* for the menu of columns */
	int width;	   /* at least */
	bool right;	   /* a figure */
	enum rows_sort sort;
	int place; /* from left to right */
};

extern const struct column_info columns_info[COL_COUNT];

struct column_at {
	enum column_id id;
	int x, w;
};

struct columns {
	enum layout_size size;
	int name_x, name_w;
	int n;
	struct column_at v[COL_COUNT]; /* from left to right */
	/* of the sparks */
	int cells;
	int cpu_per, mem_per; /* steps a cell */
	const char *cpu_span, *mem_span;
};

/* Those for this list; `need` are the widths of the widest texts by column, of the names at
 * need[COL_COUNT]. */
void columns_fit(struct columns *c, enum layout_size size, int width, unsigned wanted,
		 const int need[COL_COUNT + 1]);
/* What a click on the heading sorts by; SORT_ORDER = nothing. */
enum rows_sort columns_sort_at(const struct columns *c, int x);

#endif
