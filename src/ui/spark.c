/* SPDX-License-Identifier: MIT */
#include "ui/spark.h"

#include <math.h>

uint32_t spark_char(double value, double max, bool utf8)
{
	static const char ascii[] = "_.,-=+*#";
	if (isnan(value)) {
		return ' ';
	}
	double part = max > 0 ? value / max : 0;
	int level = part <= 0 ? 0 : part >= 1 ? SPARK_LEVELS - 1 : (int)(part * SPARK_LEVELS);
	return utf8 ? 0x2581u + (uint32_t)level : (uint32_t)ascii[level];
}

void spark_text(const double *v, size_t n, double max, bool utf8, char *out)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t c = spark_char(v[i], max, utf8);
		if (c < 0x80) {
			*out++ = (char)c;
		} else {
			*out++ = (char)(0xe0 | c >> 12);
			*out++ = (char)(0x80 | (c >> 6 & 0x3f));
			*out++ = (char)(0x80 | (c & 0x3f));
		}
	}
	*out = '\0';
}

double spark_peak(const double *v, size_t n)
{
	double peak = 0;
	for (size_t i = 0; i < n; i++) {
		peak = v[i] > peak ? v[i] : peak; /* false for NaN */
	}
	return peak;
}

double spark_scale(double peak, double least)
{
	static const double steps[] = {1, 2, 5};
	double power = 1;
	double want = peak > least ? peak : least;
	for (int i = 0; i < 30; i++, power *= 10) {
		for (size_t s = 0; s < 3; s++) {
			if (power * steps[s] >= want) {
				return power * steps[s];
			}
		}
	}
	return want;
}

void spark_squeeze(const double *v, size_t n, double *out, size_t m)
{
	for (size_t i = 0; i < m; i++) {
		out[i] = NAN;
		for (size_t k = i * n / m; k < (i + 1) * n / m; k++) {
			if (!isnan(v[k]) && !(v[k] <= out[i])) {
				out[i] = v[k];
			}
		}
	}
}
