/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_UNITS_H
#define PMCTL_COMMON_UNITS_H
/* units - durations and sizes as people write and read them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "500ms" "10s" "5m" "1h" "2d", a bare number is seconds, "1.5s" works. False if it is not one
 * or does not fit; *ms is written only on success. */
bool units_parse_duration(const char *s, int64_t *ms);
/* "512K" "200M" "2G" "1T" (powers of 1024), a bare number is bytes, "1.5G" works. */
bool units_parse_size(const char *s, int64_t *bytes);

/* The shortest exact text units_parse_duration() reads back: "1500ms", "90s", "5m". out >= 24. */
void units_format_duration(int64_t ms, char *out, size_t cap);
/* The shortest exact text units_parse_size() reads back: "512M", "1000". out >= 24. */
void units_format_size(int64_t bytes, char *out, size_t cap);

/* An age for people, at most two units: "0.4s" "11s" "2m5s" "42m" "2h11m" "3d4h". out >= 24. */
void units_format_age(int64_t ms, char *out, size_t cap);
/* Mebibytes with one decimal: "214.6M"; G from 10000M on. out >= 24. */
void units_format_mem(int64_t bytes, char *out, size_t cap);

#endif
