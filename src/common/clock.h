/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_CLOCK_H
#define PMCTL_COMMON_CLOCK_H
/* clock - the clocks we use. Only keeper, daemon and client read them; all else is told. */
#include <stdint.h>

/* CLOCK_MONOTONIC in ms: for every interval. */
int64_t clock_mono_ms(void);
/* CLOCK_BOOTTIME in ms: for what must see that the machine slept. */
int64_t clock_boot_ms(void);
/* CLOCK_REALTIME in ms since the epoch: for showing only. */
int64_t clock_real_ms(void);

/* "2026-11-22T14:03:01.377Z"; out holds 25 bytes. */
#define CLOCK_RFC3339 25
void clock_format_utc(int64_t real_ms, char out[CLOCK_RFC3339]);
/* "14:03:01.377" in local time; out holds 13 bytes. */
#define CLOCK_HMS 13
void clock_format_local(int64_t real_ms, char out[CLOCK_HMS]);

#endif
