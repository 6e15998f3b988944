/* SPDX-License-Identifier: MIT */
#include "common/units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {
	{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static const struct unit sizes[] = {
	{"", 1},	 {"B", 1},	 {"K", 1 << 10},  {"KB", 1 << 10},  {"M", 1 << 20},
	{"MB", 1 << 20}, {"G", 1 << 30}, {"GB", 1 << 30}, {"T", 1LL << 40}, {"TB", 1LL << 40},
};

/*
 * digits[.digits]UNIT, rounded to a whole number of the base unit, at most 2^53. No strtod(): it
 * would want the decimal point of the user's locale.
 */
static bool parse(const char *s, const struct unit *units, size_t n, int64_t *out)
{
	enum { MAX_DECIMALS = 6 }; /* so that decimals * factor fits */
	const int64_t max = 1LL << 53;
	int64_t whole = 0;
	int64_t part = 0;
	int64_t scale = 1;
	const char *from = s;
	for (; isdigit((unsigned char)*s); s++) {
		if (whole > max) {
			return false;
		}
		whole = whole * 10 + (*s - '0');
	}
	bool point = s > from && *s == '.';
	if (point) {
		const char *first = ++s;
		for (; isdigit((unsigned char)*s); s++) {
			part = part * 10 + (*s - '0');
			scale *= 10;
			if (s - first >= MAX_DECIMALS) {
				return false;
			}
		}
		point = s > first;
	}
	if (s == from || s[-1] == '.') {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(units[i].name, s) == 0) {
			int64_t f = units[i].factor;
			if (whole > max / f || (point && f == 1)) {
				return false; /* there are no halves of a byte */
			}
			int64_t v = whole * f + (part * f + scale / 2) / scale;
			*out = v;
			return v <= max;
		}
	}
	return false;
}

bool units_parse_duration(const char *s, int64_t *ms)
{
	return parse(s, durations, ARRAY_LEN(durations), ms);
}

bool units_parse_size(const char *s, int64_t *bytes)
{
	return parse(s, sizes, ARRAY_LEN(sizes), bytes);
}

static void format(int64_t v, const struct unit *units, const size_t *order, size_t n, char *out,
		   size_t cap)
{
	for (size_t i = 0; i < n; i++) {
		const struct unit *u = &units[order[i]];
		if (v != 0 && v % u->factor == 0) {
			snprintf(out, cap, "%lld%s", (long long)(v / u->factor), u->name);
			return;
		}
	}
	snprintf(out, cap, "0");
}

void units_format_duration(int64_t ms, char *out, size_t cap)
{
	static const size_t order[] = {5, 4, 3, 2, 1};
	format(ms, durations, order, ARRAY_LEN(order), out, cap);
}

void units_format_size(int64_t bytes, char *out, size_t cap)
{
	static const size_t order[] = {8, 6, 4, 2, 0};
	format(bytes, sizes, order, ARRAY_LEN(order), out, cap);
}

void units_format_age(int64_t ms, char *out, size_t cap)
{
	long long s = ms > 0 ? ms / 1000 : 0;
	if (s < 10) {
		/* No %f: it would print the decimal point of the user's locale. */
		long long tenths = ms > 0 ? ms / 100 : 0;
		snprintf(out, cap, "%lld.%llds", tenths / 10, tenths % 10);
	} else if (s < 60) {
		snprintf(out, cap, "%llds", s);
	} else if (s < 600) {
		snprintf(out, cap, "%lldm%llds", s / 60, s % 60);
	} else if (s < 3600) {
		snprintf(out, cap, "%lldm", s / 60);
	} else if (s < 86400) {
		snprintf(out, cap, "%lldh%lldm", s / 3600, s / 60 % 60);
	} else {
		snprintf(out, cap, "%lldd%lldh", s / 86400, s / 3600 % 24);
	}
}

void units_format_mem(int64_t bytes, char *out, size_t cap)
{
	const int64_t mib = 1 << 20;
	int64_t rest = bytes % mib;
	int64_t tenths = bytes / mib * 10 + (rest * 10 + mib / 2) / mib;
	char unit = 'M';
	if (tenths > 99999) {
		unit = 'G';
		tenths = bytes / (mib << 10) * 10 +
			 (bytes % (mib << 10) * 10 + (mib << 9)) / (mib << 10);
	}
	snprintf(out, cap, "%lld.%lld%c", (long long)(tenths / 10), (long long)(tenths % 10), unit);
}
