/* SPDX-License-Identifier: MIT */
#include "ui/series.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void series_init(struct series *s, int64_t step_ms)
{
	s->step_ms = step_ms;
	s->last = 0;
	for (size_t i = 0; i < SERIES_MAX; i++) {
		s->v[i] = NAN;
	}
}

static void shift(struct series *s, int64_t by)
{
	size_t n = by > SERIES_MAX ? SERIES_MAX : (size_t)by;
	memmove(s->v, s->v + n, (SERIES_MAX - n) * sizeof(s->v[0]));
	for (size_t i = SERIES_MAX - n; i < SERIES_MAX; i++) {
		s->v[i] = NAN;
	}
}

void series_add(struct series *s, int64_t t_ms, double value)
{
	int64_t step = t_ms / s->step_ms;
	if (s->last && step > s->last) {
		shift(s, step - s->last);
	}
	s->last = s->last > step ? s->last : step;
	if (!isnan(value)) {
		s->v[SERIES_MAX - 1] = (float)value;
	}
}

void series_load(struct series *s, int64_t t_ms, const double *v, size_t n)
{
	size_t skip = n > SERIES_MAX ? n - SERIES_MAX : 0;
	series_init(s, s->step_ms);
	s->last = t_ms / s->step_ms;
	for (size_t i = skip; i < n; i++) {
		s->v[SERIES_MAX - n + i] = (float)v[i];
	}
}

void series_last(const struct series *s, int64_t t_ms, double *out, size_t n)
{
	int64_t late = s->last ? t_ms / s->step_ms - s->last : 0;
	late = late < 0 ? 0 : late > SERIES_MAX ? SERIES_MAX : late;
	for (size_t i = 0; i < n; i++) {
		int64_t at = SERIES_MAX - (int64_t)n + (int64_t)i + late;
		out[i] = at >= 0 && at < SERIES_MAX ? (double)s->v[at] : NAN;
	}
}

void series_cells(const struct series *s, int64_t t_ms, int per, double *out, int n)
{
	int64_t newest = t_ms / s->step_ms;
	int64_t first = (newest / per - n + 1) * per; /* step of the first cell */
	for (int i = 0; i < n; i++) {
		out[i] = NAN;
		for (int64_t step = first + (int64_t)i * per; step < first + (int64_t)(i + 1) * per;
		     step++) {
			int64_t at = SERIES_MAX - 1 - (s->last - step);
			bool known = s->last && at >= 0 && at < SERIES_MAX && step <= newest;
			if (known && !isnan(s->v[at]) && !((double)s->v[at] <= out[i])) {
				out[i] = (double)s->v[at];
			}
		}
	}
}

int series_cell_of(const struct series *s, int64_t now_ms, int64_t t_ms, int per, int n)
{
	int64_t back = now_ms / s->step_ms / per - t_ms / s->step_ms / per;
	return back < 0 || back >= n ? -1 : n - 1 - (int)back;
}

double series_peak(const struct series *s)
{
	double peak = 0;
	for (int i = 0; i < SERIES_MAX; i++) {
		peak = (double)s->v[i] > peak ? (double)s->v[i] : peak; /* false for NaN */
	}
	return peak;
}
