/* SPDX-License-Identifier: MIT */
#include "common/memfind.h"

#include <stdint.h>
#include <string.h>

#define WIDTH 16
#define STEP  (4 * WIDTH)

typedef unsigned char vec __attribute__((vector_size(WIDTH)));

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

/* How common a byte is in logs, roughly. */
static int rank(unsigned char c)
{
	if (c == ' ' || (c >= '0' && c <= '9')) {
		return 4;
	}
	if (is_lower(lower(c)) && strchr("etaoinsrl", lower(c))) {
		return 3;
	}
	if (is_lower(lower(c)) || strchr(".:-/\"=,[]", c)) {
		return 2;
	}
	return 1;
}

void memfind_init(struct memfind *f, const char *needle, size_t len, bool fold)
{
	*f = (struct memfind){.needle = needle, .len = len, .fold = fold};
	const unsigned char *p = (const unsigned char *)needle;
	/* Of equals the last one: numbers begin alike. */
	for (size_t i = 1; i < len; i++) {
		f->rare = rank(p[i]) <= rank(p[f->rare]) ? i : f->rare;
	}
	f->rare2 = f->rare == 0 ? len - 1 : 0;
	for (size_t i = 0; i < len; i++) {
		if (p[i] != p[f->rare] && rank(p[i]) <= rank(p[f->rare2])) {
			f->rare2 = i;
		}
	}
}

static bool is_here(const struct memfind *f, const char *at)
{
	if (!f->fold) {
		return memcmp(at, f->needle, f->len) == 0;
	}
	for (size_t i = 0; i < f->len; i++) {
		if (lower((unsigned char)at[i]) != (unsigned char)f->needle[i]) {
			return false;
		}
	}
	return true;
}

static const char *find_slowly(const struct memfind *f, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (is_here(f, at)) {
			return at;
		}
	}
	return NULL;
}

static vec load(const char *p)
{
	vec v;
	memcpy(&v, p, sizeof(v));
	return v;
}

struct pair {
	vec a, b, case_a, case_b; /* case: 0x20 where the case does not count */
};

/* Not 0 where both rare bytes stand. */
static vec meet(const struct pair *p, const char *a, const char *b)
{
	return (vec)((load(a) | p->case_a) == p->a) & (vec)((load(b) | p->case_b) == p->b);
}

static bool is_any(vec v)
{
	uint64_t half[2];
	memcpy(half, &v, sizeof(half));
	return half[0] | half[1];
}

/* The first of 8 bytes that is not 0, of which there is one. */
static unsigned first_of(uint64_t bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (unsigned)__builtin_ctzll(bytes) / 8;
#else
	return (unsigned)__builtin_clzll(bytes) / 8;
#endif
}

/* Look closer where bytes of `hit` are not 0. */
static const char *find_among(const struct memfind *f, const char *at, vec hit)
{
	uint64_t half[2];
	memcpy(half, &hit, sizeof(half));
	for (size_t h = 0; h < 2; h++) {
		while (half[h]) {
			unsigned i = first_of(half[h]);
			if (is_here(f, at + h * 8 + i)) {
				return at + h * 8 + i;
			}
			((unsigned char *)&half[h])[i] = 0;
		}
	}
	return NULL;
}

static vec all(unsigned char c)
{
	vec v;
	memset(&v, c, sizeof(v));
	return v;
}

const char *memfind(const struct memfind *f, const char *data, size_t len)
{
	if (len < f->len) {
		return NULL;
	}
	const char *at = data, *end = data + (len - f->len) + 1; /* it begins before */
	unsigned char a = (unsigned char)f->needle[f->rare], b = (unsigned char)f->needle[f->rare2];
	struct pair p = {.a = all(a),
			 .b = all(b),
			 .case_a = all(f->fold && is_lower(a) ? 0x20 : 0),
			 .case_b = all(f->fold && is_lower(b) ? 0x20 : 0)};
	for (; end - at >= STEP; at += STEP) {
		const char *pa = at + f->rare, *pb = at + f->rare2;
		vec hit[4] = {meet(&p, pa, pb), meet(&p, pa + WIDTH, pb + WIDTH),
			      meet(&p, pa + 2 * WIDTH, pb + 2 * WIDTH),
			      meet(&p, pa + 3 * WIDTH, pb + 3 * WIDTH)};
		bool any = is_any((hit[0] | hit[1]) | (hit[2] | hit[3]));
		for (size_t i = 0; any && i < 4; i++) {
			const char *found = find_among(f, at + i * WIDTH, hit[i]);
			if (found) {
				return found;
			}
		}
	}
	return find_slowly(f, at, end);
}
