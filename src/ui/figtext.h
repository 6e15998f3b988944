/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_UI_FIGTEXT_H
#define PMCTL_UI_FIGTEXT_H
/* figtext - figures as the few cells that the dashboard has for them. Pure; "-" = not known. */
#include <stddef.h>
#include <stdint.h>

#define FIGTEXT 24 /* every out holds this many bytes */

/* "12%", four cells up to a million percent. */
void figtext_cpu(double pct, char out[FIGTEXT]);
/* "214.6M"; brief: "215M", five cells at most. */
void figtext_mem(int64_t bytes, int brief, char out[FIGTEXT]);
/* Bytes a second: "12K", "1.5M". */
void figtext_rate(double bps, char out[FIGTEXT]);
/* An age in five cells: "2h11m", "45d". */
void figtext_age(int64_t ms, char out[FIGTEXT]);
/* "100", "2.5". */
void figtext_plain(double v, char out[FIGTEXT]);
/* An integer; negative = not known. */
void figtext_int(long long n, char out[FIGTEXT]);
/* Two amounts of memory in the unit of the second: "2.9/23.5G". */
void figtext_part(int64_t used, int64_t total, char out[FIGTEXT]);

#endif
