/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_TABLE_H
#define PMCTL_CLIENT_TABLE_H
/*
 * table - rows of cells laid out for a width. Pure.
 *
 * Width is measured first and colour is added last, so no state, name or colour can move a column.
 * Cells hold text that is safe for a terminal already. Where the width does not suffice, columns go
 * in the order of `drops`, then columns with `shrink` are cut with an ellipsis; others never are.
 */
#include <stdbool.h>
#include <stddef.h>

#include "client/color.h"
#include "common/buf.h"

struct column {
	const char *title;
	bool right;	 /* aligned to the right */
	bool hidden;	 /* shown only where `swap` of another says so */
	unsigned shrink; /* may be cut down to this many columns; 0 = never */
	int early;	 /* cut to `shrink` before columns of later steps are dropped */
	unsigned first;	 /* cut to this before any column is dropped; 0 = not */
	unsigned gap;	 /* blanks before it, if it is not the first */
};

/* One step where the width does not suffice: hide a column, or two in exchange for one. */
struct drop {
	int hide, hide_too, show; /* column numbers; -1 = none */
};

struct cell {
	char *text; /* owned; NULL = empty */
	size_t width;
	enum style style;
};

struct table {
	const struct column *col;
	size_t ncols;
	const struct drop *drop;
	size_t ndrops;
	size_t early;	   /* steps taken before a column with `early` is cut */
	struct cell *cell; /* rows * ncols */
	size_t nrows, cap;
	bool *shown;   /* of each column, after table_fit() */
	size_t *width; /* of each column, after table_fit() */
};

struct table_look {
	bool color;
	bool heading;
	bool utf8;
	bool pad; /* leave blanks at the end of lines */
	size_t indent;
};

void table_init(struct table *t, const struct column *col, size_t ncols, const struct drop *drop,
		size_t ndrops, size_t early);
void table_finish(struct table *t);

/* Begin a row of empty cells. */
void table_row(struct table *t);
/* Set a cell of the last row; text is copied. */
void table_set(struct table *t, size_t col, enum style style, const char *text);
/* The same with text of others: made safe for a terminal, blanks for tabs, which would break a
 * record in a pipe. */
void table_set_foreign(struct table *t, size_t col, enum style style, const char *text);

/* Choose columns and widths for lines of at most `limit` columns; 0 = no limit. */
void table_fit(struct table *t, const struct table_look *look, size_t limit);
/* Append the first characters of s that fit into `width` columns together with the mark of what was
 * left out. Returns the columns used. For text that is wider than that. */
size_t table_add_cut(struct buf *out, const char *s, size_t width, bool utf8);
/* Append all lines. */
void table_render(const struct table *t, const struct table_look *look, struct buf *out);

#endif
