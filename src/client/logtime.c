/* SPDX-License-Identifier: MIT */
#include "client/logtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"

/* Digits where the shape has 0. sscanf() alone would take signs, blanks and fewer of them. */
static bool has_shape(const char *s, const char *shape)
{
	for (; *shape; s++, shape++) {
		if (*shape == '0' ? *s < '0' || *s > '9' : *s != *shape) {
			return false;
		}
	}
	return true;
}

static bool local_ms(struct tm tm, int64_t *out)
{
	tm.tm_isdst = -1;
	time_t t = mktime(&tm);
	*out = (int64_t)t * 1000;
	return t != (time_t)-1;
}

/* "14:00" or "14:00:05" at the end of s; fills the time of day. */
static bool parse_clock(const char *s, struct tm *tm)
{
	int n = 0;
	tm->tm_sec = 0;
	if ((!has_shape(s, "00:00") && !has_shape(s, "0:00")) ||
	    sscanf(s, "%2d:%2d%n", &tm->tm_hour, &tm->tm_min, &n) != 2) {
		return false;
	}
	if (s[n] == ':') {
		int more = 0;
		if (!has_shape(s + n, ":00") || sscanf(s + n, ":%2d%n", &tm->tm_sec, &more) != 1) {
			return false;
		}
		n += more;
	}
	return s[n] == '\0' && tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 &&
	       tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

static bool parse_of_day(const char *text, int64_t now_ms, int64_t *out)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;
	bool midnight = strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0;
	if (!localtime_r(&now, &tm)) {
		return false;
	}
	if (midnight) {
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_mday -= text[0] == 'y';
		return local_ms(tm, out);
	}
	if (!parse_clock(text, &tm) || !local_ms(tm, out)) {
		return false;
	}
	if (*out > now_ms) {
		tm.tm_mday--;
		return local_ms(tm, out);
	}
	return true;
}

/* Behind the seconds: a fraction and a zone. */
static bool parse_zone(const char *s, int64_t *fraction_ms, bool *zoned, int *minutes)
{
	if (*s == '.') {
		int scale = 100;
		if (!has_shape(++s, "0")) {
			return false;
		}
		for (; has_shape(s, "0"); s++, scale /= 10) {
			*fraction_ms += (*s - '0') * scale;
		}
	}
	*zoned = *s != '\0';
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0 || *s == '\0') {
		return true;
	}
	int h, m, n = 0;
	if ((*s != '+' && *s != '-') || !has_shape(s + 1, "00:00") ||
	    sscanf(s + 1, "%2d:%2d%n", &h, &m, &n) != 2 || s[1 + n] || h > 23 || m > 59) {
		return false;
	}
	*minutes = (*s == '-' ? -1 : 1) * (h * 60 + m);
	return true;
}

static bool parse_date(const char *text, int64_t *out)
{
	struct tm tm = {0};
	int n = 0, minutes = 0;
	int64_t fraction = 0;
	bool zoned = false;
	char rest[16] = "";
	if (!has_shape(text, "0000-00-00") ||
	    sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &n) != 3) {
		return false;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	struct tm day = tm;
	if (timegm(&day) == (time_t)-1 || day.tm_mday != tm.tm_mday || day.tm_mon != tm.tm_mon) {
		return false; /* there is no such day */
	}
	const char *s = text + n;
	if (*s == '\0') {
		return local_ms(tm, out);
	}
	if (*s != 'T' && *s != 't' && *s != ' ') {
		return false;
	}
	size_t len = strspn(s + 1, "0123456789:");
	if (len >= sizeof(rest)) {
		return false;
	}
	memcpy(rest, s + 1, len);
	if (!parse_clock(rest, &tm) || !parse_zone(s + 1 + len, &fraction, &zoned, &minutes)) {
		return false;
	}
	if (zoned) {
		*out = ((int64_t)timegm(&tm) - minutes * 60) * 1000;
	} else if (!local_ms(tm, out)) {
		return false;
	}
	*out += fraction;
	return true;
}

bool logtime_parse(const char *text, int64_t now_ms, int64_t *out_ms)
{
	int64_t ago;
	if (units_parse_duration(text, &ago)) {
		*out_ms = ago < now_ms ? now_ms - ago : 0;
		return true;
	}
	return parse_of_day(text, now_ms, out_ms) || parse_date(text, out_ms);
}
