/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_SERIES_H
#define PMCTL_UI_SERIES_H
/*
 * series - the last values of one figure, a value a step of time. Pure: times come in.
 *
 * The newest is at the end; a step without a sample is NaN. Zeroed and series_init() = empty.
 */
#include <stddef.h>
#include <stdint.h>

#define SERIES_MAX 300

struct series {
	int64_t step_ms;
	int64_t last; /* number of the newest step: ms since the epoch / step_ms; 0 = none yet */
	float v[SERIES_MAX];
};

void series_init(struct series *s, int64_t step_ms);
/* A sample at this time. Within one step the last one counts; the clock may jump: backwards is the
 * same step, far forwards is a gap. NaN is no sample. */
void series_add(struct series *s, int64_t t_ms, double value);
/* n old values, oldest first, of which the last is that of t_ms. */
void series_load(struct series *s, int64_t t_ms, const double *v, size_t n);
/* The newest n values up to t_ms, oldest first; NaN where there is none. */
void series_last(const struct series *s, int64_t t_ms, double *out, size_t n);
/* n cells of `per` steps each, of which each is the largest value in it. Cells stand still while
 * time goes on: only the last one, that of t_ms, is still filling. */
void series_cells(const struct series *s, int64_t t_ms, int per, double *out, int n);
/* The number of the cell of n that ends with that of now_ms in which t_ms lies; < 0 = before. */
int series_cell_of(const struct series *s, int64_t now_ms, int64_t t_ms, int per, int n);
/* The largest value that is kept; 0 if there is none. */
double series_peak(const struct series *s);

#endif
