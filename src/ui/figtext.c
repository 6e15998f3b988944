/* SPDX-License-Identifier: MIT */
#include "ui/figtext.h"

#include <math.h>
#include <stdio.h>

#include "common/units.h"

#define DAY_MS (24LL * 3600 * 1000)

static void nothing(char *out)
{
	snprintf(out, FIGTEXT, "-");
}

/* n with one decimal, whatever the locale; 10 and more without. */
static void one_decimal(double n, char unit, char *out)
{
	long long tenths = (long long)(n * 10 + 0.5);
	if (tenths >= 100) {
		snprintf(out, FIGTEXT, "%lld%c", (tenths + 5) / 10, unit);
	} else {
		snprintf(out, FIGTEXT, "%lld.%lld%c", tenths / 10, tenths % 10, unit);
	}
}

void figtext_cpu(double pct, char out[FIGTEXT])
{
	if (isnan(pct)) {
		nothing(out);
	} else if (pct < 999.5) {
		snprintf(out, FIGTEXT, "%lld%%", (long long)(pct < 0 ? 0 : pct + 0.5));
	} else if (pct < 9999.5) {
		snprintf(out, FIGTEXT, "%lld", (long long)(pct + 0.5));
	} else {
		snprintf(out, FIGTEXT, "%lldk", (long long)(pct < 999e3 ? pct / 1000 : 999));
	}
}

void figtext_mem(int64_t bytes, int brief, char out[FIGTEXT])
{
	const double mib = 1024 * 1024;
	if (bytes < 0) {
		nothing(out);
	} else if (!brief) {
		units_format_mem(bytes, out, FIGTEXT);
	} else if ((double)bytes < 9999.5 * mib) {
		snprintf(out, FIGTEXT, "%lldM", (long long)((double)bytes / mib + 0.5));
	} else {
		one_decimal((double)bytes / mib / 1024, 'G', out);
	}
}

void figtext_rate(double bps, char out[FIGTEXT])
{
	static const char units[] = "KMGT";
	int i = 0;
	if (isnan(bps) || bps < 0) {
		nothing(out);
		return;
	}
	if (bps < 1000) {
		snprintf(out, FIGTEXT, "%lld", (long long)bps);
		return;
	}
	for (bps /= 1024; bps >= 999.5 && i < 3; i++) {
		bps /= 1024;
	}
	one_decimal(bps < 1e9 ? bps : 1e9, units[i], out);
}

void figtext_age(int64_t ms, char out[FIGTEXT])
{
	if (ms < 0) {
		nothing(out);
	} else if (ms >= 10 * DAY_MS) {
		snprintf(out, FIGTEXT, "%lldd", (long long)(ms / DAY_MS));
	} else {
		units_format_age(ms, out, FIGTEXT);
	}
}

void figtext_plain(double v, char out[FIGTEXT])
{
	long long tenths = v < 1e9 ? (long long)(v * 10 + 0.5) : 10000000000LL;
	if (tenths % 10) {
		snprintf(out, FIGTEXT, "%lld.%lld", tenths / 10, tenths % 10);
	} else {
		snprintf(out, FIGTEXT, "%lld", tenths / 10);
	}
}

void figtext_int(long long n, char out[FIGTEXT])
{
	if (n < 0) {
		nothing(out);
	} else {
		snprintf(out, FIGTEXT, "%lld", n);
	}
}

void figtext_part(int64_t used, int64_t total, char out[FIGTEXT])
{
	const double mib = 1024 * 1024, gib = mib * 1024;
	double unit = (double)total < 999.5 * mib ? mib : gib;
	if (used < 0 || total <= 0) {
		nothing(out);
		return;
	}
	char whole[FIGTEXT];
	long long tenths = (long long)((double)used / unit * 10 + 0.5);
	figtext_plain((double)total / unit, whole);
	snprintf(out, FIGTEXT, "%lld.%lld/%.8s%c", tenths / 10 % 100000000, tenths % 10, whole,
		 unit > mib ? 'G' : 'M');
}
