/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_SPARK_H
#define PMCTL_UI_SPARK_H
/*
 * spark - a row of bars, one cell a point. Pure.
 *
 * The scale is fixed by its owner and shown or known: 0 to a limit, or 0 to a step of 1-2-5. A
 * value that is not a number (no sample) is a blank, not zero.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARK_LEVELS 8

/* The character for value on a scale from 0 to max: block elements, or "_.,-=+*#". Blank for NaN.
 */
uint32_t spark_char(double value, double max, bool utf8);
/* Append n characters as UTF-8 to a NUL-terminated text; out >= 3 * n + 1 bytes. */
void spark_text(const double *v, size_t n, double max, bool utf8, char *out);
/* The largest of n values, NaN left out; 0 if there is none. */
double spark_peak(const double *v, size_t n);
/* The next step of 1-2-5 times a power of ten that is not below peak, and not below least. */
double spark_scale(double peak, double least);
/* Squeeze n values into m cells, each the largest of its part; NaN where none is known. */
void spark_squeeze(const double *v, size_t n, double *out, size_t m);

#endif
