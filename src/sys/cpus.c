/* SPDX-License-Identifier: MIT */
#include "sys/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sys/cgmount.h"
#include "sys/fileio.h"

static unsigned quota_cpus(int64_t quota, int64_t period)
{
	if (quota <= 0 || period <= 0 || quota / period >= CPU_SETSIZE) {
		return 0;
	}
	return (unsigned)((quota + period - 1) / period);
}

unsigned cpus_of_quota(const char *line)
{
	char *end;
	long long quota = strtoll(line, &end, 10);
	if (end == line || *end != ' ') {
		return 0;
	}
	return quota_cpus(quota, strtoll(end, NULL, 10));
}

static unsigned quota_of_v2(const char *dir)
{
	char *file = xasprintf("%s/cpu.max", dir);
	char text[64];
	bool ok = file_read(AT_FDCWD, file, text, sizeof(text)) > 0;
	free(file);
	return ok ? cpus_of_quota(text) : 0;
}

static unsigned quota_of_v1(const char *dir)
{
	char *quota = xasprintf("%s/cpu.cfs_quota_us", dir);
	char *period = xasprintf("%s/cpu.cfs_period_us", dir);
	char q[32], p[32];
	bool ok = file_read(AT_FDCWD, quota, q, sizeof(q)) > 0 &&
		  file_read(AT_FDCWD, period, p, sizeof(p)) > 0;
	free(quota);
	free(period);
	return ok ? quota_cpus(strtoll(q, NULL, 10), strtoll(p, NULL, 10)) : 0;
}

/* The smallest quota from our group up to the root of what is mounted; 0 = none. */
static unsigned smallest_quota(const char *controller)
{
	struct cgmount m;
	if (!cgmount_find(controller, &m)) {
		return 0;
	}
	char *dir = xasprintf("%s%s", m.mount, m.path);
	size_t top = strlen(m.mount);
	unsigned best = 0;
	for (;;) {
		unsigned n = controller ? quota_of_v1(dir) : quota_of_v2(dir);
		best = n && (!best || n < best) ? n : best;
		char *slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < top) {
			break;
		}
		*slash = '\0';
	}
	free(dir);
	cgmount_finish(&m);
	return best;
}

bool cpus_allowed(cpu_set_t *out)
{
	CPU_ZERO(out);
	return sched_getaffinity(0, sizeof(*out), out) == 0;
}

unsigned cpus_usable(void)
{
	cpu_set_t set;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cpus_allowed(&set) ? (unsigned)CPU_COUNT(&set)
					: (unsigned)(online > 0 ? online : 1);
	unsigned quota[] = {smallest_quota(NULL), smallest_quota("cpu")};
	for (size_t i = 0; i < ARRAY_LEN(quota); i++) {
		n = quota[i] && quota[i] < n ? quota[i] : n;
	}
	return n ? n : 1;
}

/* A number below CPU_SETSIZE; NULL if there is none at p. */
static const char *parse_cpu(const char *p, int *out)
{
	int v = 0;
	const char *start = p;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (*p - '0');
		if (v >= CPU_SETSIZE) {
			return NULL;
		}
	}
	*out = v;
	return p == start ? NULL : p;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

bool cpus_parse_list(const char *text, const cpu_set_t *allowed, cpu_set_t *out, struct err *err)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	const char *p = text;
	do {
		int first, last;
		p = parse_cpu(skip_blanks(p), &first);
		last = first;
		if (p && *p == '-') {
			p = parse_cpu(p + 1, &last);
		}
		p = p ? skip_blanks(p) : NULL;
		if (!p || (*p && *p != ',') || last < first) {
			return err_set(err, ERR_CONFIG,
				       "\"%.100s\" is not a list of CPUs like 0-3,5", text);
		}
		for (int cpu = first; cpu <= last; cpu++) {
			if (allowed && !CPU_ISSET(cpu, allowed)) {
				return err_set(err, ERR_CONFIG, "there is no CPU %d here", cpu);
			}
			CPU_SET(cpu, &set);
		}
	} while (*p++ == ',');
	*out = set;
	return true;
}

int cpus_nth(const cpu_set_t *set, unsigned i)
{
	unsigned n = (unsigned)CPU_COUNT(set);
	if (n == 0) {
		return -1;
	}
	i %= n;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, set) && i-- == 0) {
			return cpu;
		}
	}
	return -1;
}

void cpus_format_hex(const cpu_set_t *set, char out[CPUS_HEX])
{
	size_t n = 0;
	for (int digit = CPU_SETSIZE / 4 - 1; digit >= 0; digit--) {
		unsigned v = 0;
		for (int bit = 3; bit >= 0; bit--) {
			v = v << 1 | (CPU_ISSET(digit * 4 + bit, set) ? 1u : 0u);
		}
		if (n || v || digit == 0) {
			out[n++] = "0123456789abcdef"[v];
		}
	}
	out[n] = '\0';
}
